// What every transport keeps. Held against both, over real sockets, with the fake control plane.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage } from "#schema/wire/messages";
import { DEFAULT_TIMINGS } from "../config.ts";
import { createClock } from "../system/clock.ts";
import { generateEd25519Pem, parseEd25519Pem } from "../system/ed25519.ts";
import { createHttp, type Http } from "../system/http.ts";
import { silentLogger } from "../system/logger.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeControlPlane, type FakeControlPlane } from "../testing/fake-control-plane.ts";
import type { FakeMesh } from "../testing/fake-objects.ts";
import { testKey } from "../testing/mesh-model.ts";
import { enrol } from "./enrol.ts";
import { createMachineApi, type MachineApi } from "./machine-api.ts";
import { createServerClock } from "./server-clock.ts";
import type { Channel, LinkEnd, Transport } from "./transport.ts";

const HOUR_MS = 3_600_000;

export function describeTransport(
  name: string,
  create: (api: MachineApi, clock: ReturnType<typeof createClock>) => Transport,
): void {
  describe(`a ${name} transport`, () => {
    let plane: FakeControlPlane;
    let mesh: FakeMesh;
    let http: Http;
    let links: TestLink[];

    beforeEach(async () => {
      plane = await createFakeControlPlane();
      mesh = plane.addMesh(0);
      http = createHttp({});
      links = [];
    });
    afterEach(async () => {
      for (const link of links) link.channel?.close();
      http.dropConnections();
      await plane.close();
    });

    async function openLink(): Promise<TestLink> {
      const link = await openTestLink({ plane, http, mesh, create });
      links.push(link);
      return link;
    }

    test("greets, and gets the answer", async () => {
      mesh.model.put(1, 0);
      const link = await openLink();
      await eventually(() => expect(link.types()).toEqual(["sync.snapshot"]));
      expect(link.position()?.epoch).toBe("epoch-1");
    });

    test("brings changes as they happen, in order", async () => {
      const link = await openLink();
      await eventually(() => expect(link.position()).not.toBeNull());
      for (let index = 1; index <= 5; index++) {
        mesh.change(mesh.model.put(index, 0));
        await eventually(() => expect(link.position()?.revision).toBe(mesh.model.desired().revision));
      }
    });

    test("carries messages to the object, in order, without waiting for answers", async () => {
      const link = await openLink();
      await eventually(() => expect(link.position()).not.toBeNull());
      const revisions = Array.from({ length: 40 }, (_, index) => index);
      for (const revision of revisions) {
        link.channel?.send({ type: "sync.applied", epoch: "epoch-1", revision, failures: [] });
      }
      await eventually(() => expect(mesh.applied.map(({ revision }) => revision)).toEqual(revisions));
    });

    test("brings the answer to a message", async () => {
      const link = await openLink();
      await eventually(() => expect(link.position()).not.toBeNull());
      link.channel?.send({ type: "sync.heartbeat", ...link.position() });
      await eventually(() => expect(link.types()).toContain("sync.position"));
    });

    test("says so when the machine is no member", async () => {
      plane.leave(mesh);
      const link = await openLink();
      expect(link.ends).toMatchObject([{ code: "removed" }]);
    });

    test("ends when the machine is taken out of the mesh", async () => {
      const link = await openLink();
      await eventually(() => expect(plane.connections()).toHaveLength(1));
      plane.leave(mesh);
      await eventually(() => expect(link.types().includes("mesh.left") || link.ends[0]?.code === "removed").toBe(true));
    });

    test("says that the machine was removed", async () => {
      const refused = await openLink();
      refused.channel?.close();
      plane.levers.failNext = { times: 9, status: 403, code: "machine_removed" };
      plane.levers.refuseSockets = "machine_removed";
      expect((await openLink()).ends).toMatchObject([{ code: "machine_removed" }]);
    });

    test("ends as a network failure when the control plane goes away, and when it is not there", async () => {
      const link = await openLink();
      await eventually(() => expect(plane.connections()).toHaveLength(1));
      await plane.goDown();
      await eventually(() => expect(link.ends).toMatchObject([{ code: "network" }]));
      const late = await openTestLink({ plane, http, mesh, create, isEnrolled: true });
      expect(late.ends).toMatchObject([{ code: "network", message: expect.stringContaining("nothing listens there") }]);
    });

    test.each([
      ["ahead", HOUR_MS],
      ["behind", -HOUR_MS],
    ])("opens though this machine's clock is an hour %s", async (_, offsetMs) => {
      const link = await openTestLink({ plane, http, mesh, create, skewMs: offsetMs });
      links.push(link);
      await eventually(() => expect(link.types()).toEqual(["sync.snapshot"]));
    });

    test("passes on what is no message of the protocol, and lives on or ends, but does not throw", async () => {
      const link = await openLink();
      await eventually(() => expect(plane.connections()).toHaveLength(1));
      plane.sendRaw(AGENT_PATHS.meshSync(mesh.model.meshId), "][");
      await eventually(() => expect(link.messages.includes(undefined) || link.ends[0]?.code === "foreign").toBe(true));
    });

    test("tells nothing after it was closed", async () => {
      const link = await openLink();
      await eventually(() => expect(link.position()).not.toBeNull());
      link.channel?.close();
      const before = link.messages.length;
      mesh.change(mesh.model.put(7, 0));
      plane.closeSockets(AGENT_PATHS.meshSync(mesh.model.meshId), CLOSE_CODES.rateLimited);
      await eventually(() => expect(plane.connections()).toEqual([]));
      expect([link.messages.length, link.ends]).toEqual([before, []]);
    });
  });
}

interface TestLink {
  readonly channel: Channel | null;
  readonly messages: unknown[];
  readonly ends: LinkEnd[];
  types(): string[];
  position(): { epoch: string; revision: number } | null;
}

interface LinkSetting {
  readonly plane: FakeControlPlane;
  readonly http: Http;
  readonly mesh: FakeMesh;
  readonly create: (api: MachineApi, clock: ReturnType<typeof createClock>) => Transport;
  readonly skewMs?: number;
  readonly isEnrolled?: boolean;
}

async function openTestLink({
  plane,
  http,
  mesh,
  create,
  skewMs = 0,
  isEnrolled = false,
}: LinkSetting): Promise<TestLink> {
  const real = createClock();
  const clock = { ...real, now: () => real.now() + skewMs };
  const key = parseEd25519Pem(generateEd25519Pem());
  const signal = new AbortController().signal;
  const userAgent = "test";
  const common = { url: plane.url, key, http, clock, userAgent };
  if (!isEnrolled) {
    const agent = { agentVersion: "0", nodeVersion: "0", kernelVersion: "0", wireguard: "kernel" } as const;
    const token = `bkj_${"x".repeat(43)}`;
    const throwaway = createServerClock(clock);
    const ports = { ...common, serverClock: throwaway, random: Math.random, log: silentLogger };
    await enrol({ ...ports, token, hostname: "h", agent, signal });
  }
  const api = createMachineApi({ ...common, serverClock: createServerClock(clock), machineId: plane.machineId });
  let position: { epoch: string; revision: number } | null = null;
  const target = {
    path: AGENT_PATHS.meshSync(mesh.model.meshId),
    greet: () => ({ type: "sync.hello", wireVersion: 1, position, publicKey: testKey(1), candidates: [] }),
    pollQuery: () => (position === null ? {} : { epoch: position.epoch, since: position.revision }),
  };
  const messages: unknown[] = [];
  const ends: LinkEnd[] = [];
  const opened = await create(api, clock).open(target, signal);
  if (!opened.ok) ends.push(opened.error);
  else {
    opened.value.listen({
      onMessage: (message) => {
        messages.push(message);
        const parsed = FromMeshMessage.safeParse(message);
        if (parsed.success && "revision" in parsed.data) {
          position = { epoch: parsed.data.epoch, revision: parsed.data.revision };
        }
      },
      onEnd: (end) => ends.push(end),
    });
  }
  return {
    channel: opened.ok ? opened.value : null,
    messages,
    ends,
    types: () => messages.map((message) => FromMeshMessage.safeParse(message).data?.type ?? "?"),
    position: () => position,
  };
}

export const TEST_TIMINGS = { ...DEFAULT_TIMINGS, idlePollMs: 20 };
