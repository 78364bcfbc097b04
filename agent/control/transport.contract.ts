// What every transport keeps, with every control plane. Held against WebSocket and long-poll, over real sockets, with the fake control
// plane (transport.test.ts) and with the embedded one (embedded.test.ts): so the fake is held to the real one too.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { toIdentityKeyText } from "#schema/wire/identity-key";
import { FromMeshMessage } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";
import { DEFAULT_TIMINGS } from "../config.ts";
import { type Clock, createClock } from "../system/clock.ts";
import { type Ed25519Key, generateEd25519Pem, parseEd25519Pem } from "../system/ed25519.ts";
import type { Files } from "../system/files.ts";
import { createHttp, type Http } from "../system/http.ts";
import { silentLogger } from "../system/logger.ts";
import { generateX25519KeyPair } from "../system/x25519.ts";
import { eventually } from "../testing/eventually.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { enrol } from "./enrol.ts";
import { createIdentityStore, type IdentityStore } from "./identity.ts";
import { createIdentityRotation, type SigningKeys } from "./keys/identity-rotation.ts";
import { createSuccession } from "./keys/succession.ts";
import { createSuccessionsFile } from "./keys/successions-file.ts";
import { createMachineApi, type MachineApi } from "./machine-api.ts";
import { createServerClock } from "./server-clock.ts";
import { createSession, isSessionMessage, stepSession } from "./session.ts";
import type { Channel, LinkEnd, Transport } from "./transport.ts";

/** A control plane with one mesh, which every machine joins that enrols with the token. */
export interface ContractPlane {
  readonly url: string;
  readonly meshId: MeshId;
  createToken(): Promise<string>;
  /** Something that the members are told. */
  change(): Promise<void>;
  appliedRevision(machineId: MachineId): Promise<number | null>;
  leave(machineId: MachineId): Promise<void>;
  removeMachine(machineId: MachineId): Promise<void>;
  close(): Promise<void>;
}

export interface ContractOptions {
  readonly name: string;
  readonly createPlane: () => Promise<ContractPlane>;
  /** One plane for all tests, where it takes long to start. */
  readonly isShared: boolean;
  readonly createTransport: (api: MachineApi, clock: Clock) => Transport;
}

const HOUR_MS = 3_600_000;
export const TEST_TIMINGS = { ...DEFAULT_TIMINGS, idlePollMs: 20 };

export function describeTransport({ name, createPlane, isShared, createTransport }: ContractOptions): void {
  describe(name, () => {
    let plane: ContractPlane;
    let http: Http;
    let links: TestLink[] = [];
    const [before, after] = isShared ? [beforeAll, afterAll] : [beforeEach, afterEach];
    before(async () => {
      plane = await createPlane();
      http = createHttp({});
    }, 30_000);
    afterEach(() => {
      for (const link of links) link.channel?.close();
      links = [];
    });
    after(async () => {
      http.dropConnections();
      await plane.close();
    });

    const enrolMachine = () => enrolTestMachine(plane, http);
    async function openLink(machine: TestMachineIdentity, skewMs = 0): Promise<TestLink> {
      const link = await openTestLink({ plane, http, createTransport, machine, skewMs });
      links.push(link);
      return link;
    }

    test("greets, and gets the answer", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()?.mesh.id).toBe(plane.meshId));
      await eventually(() => expect(link.desired()?.members.map((row) => row.machineId)).toContain(machine.machineId));
    });

    test("brings changes as they happen", async () => {
      const link = await openLink(await enrolMachine());
      await eventually(() => expect(link.desired()).not.toBeNull());
      for (let count = 0; count < 5; count++) {
        const revision = link.desired()?.revision ?? 0;
        await plane.change();
        await eventually(() => expect(link.desired()?.revision).toBeGreaterThan(revision));
      }
      expect(link.gaps()).toBe(0);
    });

    test("stays open while the machine replaces its identity key, and opens with the new one", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()).not.toBeNull());
      const key = await replaceIdentityKey({ plane, http, machine });
      const revision = link.desired()?.revision ?? 0;
      await plane.change();
      await eventually(() => expect(link.desired()?.revision).toBeGreaterThan(revision));
      expect(link.ends).toEqual([]);
      const next = await openLink({ ...machine, key });
      await eventually(() => expect(next.desired()?.members.map((row) => row.machineId)).toContain(machine.machineId));
    });

    test("opens with a key that took the known one's place, once that is proved", async () => {
      const machine = await enrolMachine();
      const files = createMemoryFiles();
      let { key } = machine;
      for (let replacements = 0; replacements < 2; replacements++) key = await succeed({ ...machine, key }, files);
      const { readSuccessions } = createIdentityStore(files, "/state");
      const refused = await openLink({ ...machine, key: await succeed(machine, createMemoryFiles()) });
      expect(refused.ends).toMatchObject([{ code: "rejected", problem: "signature_invalid" }]);
      const link = await openLink({ ...machine, key, readSuccessions });
      await eventually(() => expect(link.desired()?.members.map((row) => row.machineId)).toContain(machine.machineId));
      // From here on it is the one that is known.
      expect((await openLink({ ...machine, key })).ends).toEqual([]);
    });

    test("carries many messages, in order, without waiting for answers", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()).not.toBeNull());
      const { epoch = "", revision = 0 } = link.desired() ?? {};
      for (let count = 40; count >= 0; count--) {
        const position = { epoch, revision: Math.max(0, revision - count) };
        link.channel?.send({ type: "sync.applied", ...position, failures: [] });
      }
      await eventually(async () => expect(await plane.appliedRevision(machine.machineId)).toBe(revision));
    });

    test("carries messages that together are longer than one may be", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()).not.toBeNull());
      const { epoch = "", revision = 0 } = link.desired() ?? {};
      // About 35 KB each: twice as many bytes as characters.
      const failure = { step: "address.add", code: "command_failed", message: "\u{1f9f6}".repeat(500) };
      const failures = Array(16).fill({ ...failure, since: "2026-01-01T00:00:00Z" });
      for (let count = 0; count < 8; count++)
        link.channel?.send({ type: "sync.applied", epoch, revision: 0, failures });
      link.channel?.send({ type: "sync.applied", epoch, revision, failures: [] });
      await eventually(async () => expect(await plane.appliedRevision(machine.machineId)).toBe(revision));
      expect(link.ends).toEqual([]);
    });

    test("brings the answer to a heartbeat", async () => {
      const link = await openLink(await enrolMachine());
      await eventually(() => expect(link.desired()).not.toBeNull());
      // Its own hello may still be on its way to it.
      await eventually(() => {
        const { epoch = "", revision = 0 } = link.desired() ?? {};
        link.channel?.send({ type: "sync.heartbeat", epoch, revision });
        expect(link.types()).toContain("sync.position");
      });
    });

    test("says so when the machine is no member", async () => {
      const machine = await enrolMachine();
      await plane.leave(machine.machineId);
      expect((await openLink(machine)).ends).toMatchObject([{ code: "removed" }]);
    });

    test("tells when the machine is taken out of the mesh, and ends", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()).not.toBeNull());
      await plane.leave(machine.machineId);
      await eventually(() => expect(link.types().includes("mesh.left") || link.ends.length > 0).toBe(true));
      await eventually(() => expect(link.ends).toMatchObject([{ code: "removed" }]));
    });

    test("ends when the machine is removed, and does not open again", async () => {
      const machine = await enrolMachine();
      const link = await openLink(machine);
      await eventually(() => expect(link.desired()).not.toBeNull());
      await plane.removeMachine(machine.machineId);
      await eventually(() => expect(link.ends[0]?.code).toMatch(/removed/));
      expect((await openLink(machine)).ends).toMatchObject([{ code: "machine_removed" }]);
    });

    test.each([
      ["ahead", HOUR_MS],
      ["behind", -HOUR_MS],
    ])("opens though this machine's clock is an hour %s", async (_, skewMs) => {
      const link = await openLink(await enrolMachine(), skewMs);
      await eventually(() => expect(link.desired()).not.toBeNull());
    });

    test("tells nothing after it was closed", async () => {
      const link = await openLink(await enrolMachine());
      await eventually(() => expect(link.desired()).not.toBeNull());
      link.channel?.close();
      const count = link.types().length;
      await plane.change();
      const other = await openLink(await enrolMachine());
      await eventually(() => expect(other.desired()).not.toBeNull());
      expect([link.types().length, link.ends]).toEqual([count, []]);
    });
  });
}

export interface TestMachineIdentity {
  readonly machineId: MachineId;
  readonly key: Ed25519Key;
  /** How the key came to be this one, where it is not the one that enrolled. */
  readonly readSuccessions?: IdentityStore["readSuccessions"];
}

export async function enrolTestMachine(
  plane: Pick<ContractPlane, "url" | "createToken">,
  http: Http,
): Promise<TestMachineIdentity> {
  const clock = createClock();
  const key = parseEd25519Pem(generateEd25519Pem());
  const reply = await enrol({
    url: plane.url,
    token: await plane.createToken(),
    key,
    hostname: "host-1",
    agent: { agentVersion: "0", nodeVersion: "0", kernelVersion: "0", wireguard: "kernel" },
    http,
    clock,
    serverClock: createServerClock(clock),
    random: Math.random,
    log: silentLogger,
    userAgent: "test",
    signal: new AbortController().signal,
  });
  if (!reply.ok) throw new Error(reply.error.message);
  return { machineId: reply.value.machineId, key };
}

export interface TestLink {
  readonly channel: Channel | null;
  readonly messages: unknown[];
  readonly ends: LinkEnd[];
  types(): string[];
  desired(): DesiredMesh | null;
  /** How often something was missing in between. */
  gaps(): number;
}

export interface TestLinkOptions {
  readonly plane: Pick<ContractPlane, "url" | "meshId">;
  readonly http: Http;
  readonly createTransport: (api: MachineApi, clock: Clock) => Transport;
  readonly machine: TestMachineIdentity;
  readonly skewMs?: number;
}

export async function openTestLink({
  plane,
  http,
  createTransport,
  machine,
  skewMs = 0,
}: TestLinkOptions): Promise<TestLink> {
  const real = createClock();
  const clock = { ...real, now: () => real.now() + skewMs };
  const serverClock = createServerClock(clock);
  const signingKeys = { list: [machine.key] };
  const { api } = createSuccession({
    ...{ signingKeys, clock, random: Math.random, log: silentLogger, backoff: TEST_TIMINGS.patientBackoff },
    store: { readSuccessions: machine.readSuccessions ?? (async () => []) },
    api: createMachineApi({ ...machine, signingKeys, url: plane.url, http, clock, serverClock, userAgent: "test" }),
  });
  const { publicKey } = generateX25519KeyPair();
  let session = createSession(plane.meshId, null);
  let hellos = 0;
  const hello = (position: object | null) => {
    hellos++;
    return { type: "sync.hello", wireVersion: WIRE_VERSION, position, publicKey, candidates: [] };
  };
  const messages: unknown[] = [];
  const ends: LinkEnd[] = [];
  const target = {
    path: AGENT_PATHS.meshSync(plane.meshId),
    greet: () => hello(null),
    pollQuery: () =>
      session.desired === null ? {} : { epoch: session.desired.epoch, since: session.desired.revision },
  };
  const opened = await createTransport(api, clock).open(target, new AbortController().signal);
  if (!opened.ok) ends.push(opened.error);
  else {
    opened.value.listen({
      onMessage: (message) => {
        messages.push(message);
        const parsed = FromMeshMessage.safeParse(message);
        if (!parsed.success || !isSessionMessage(parsed.data)) return;
        const step = stepSession(session, { type: "received", message: parsed.data });
        session = step.state;
        for (const output of step.outputs) {
          if (output.type === "send_hello") opened.value.send(hello(output.position));
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
    desired: () => session.desired,
    gaps: () => hellos - 1,
  };
}

/** As the agent does. Answers the key that it has then. */
async function replaceIdentityKey({
  plane,
  http,
  machine,
}: Pick<TestLinkOptions, "plane" | "http" | "machine">): Promise<Ed25519Key> {
  const clock = createClock();
  const signingKeys: SigningKeys = { list: [machine.key] };
  const api = createMachineApi({
    ...{ ...machine, signingKeys, url: plane.url, http, clock },
    ...{ serverClock: createServerClock(clock), userAgent: "test" },
  });
  const files = createMemoryFiles();
  const rotation = createIdentityRotation({
    ...{ ...machine, nextKey: null, signingKeys, api, clock, random: Math.random, log: silentLogger },
    store: createIdentityStore(files, "/state"),
    onFailureChanged: () => undefined,
  });
  rotation.setDue(machine.key.publicKey);
  await rotation.whenIdle();
  expect(rotation.failure()).toBeNull();
  rotation.stop();
  expect([...files.content.keys()].sort()).toEqual(["/state/identity.key", "/state/identity.successions.json"]);
  return parseEd25519Pem(files.content.get("/state/identity.key") ?? "");
}

/** The machine's next key, which the control plane does not hear of. */
async function succeed({ machineId, key }: TestMachineIdentity, files: Files): Promise<Ed25519Key> {
  const next = parseEd25519Pem(generateEd25519Pem());
  const keys = { formerKey: key.publicKey, identityKey: next.publicKey };
  const text = toIdentityKeyText({ machineId, ...keys });
  const signatures = { signature: next.sign(text), formerSignature: key.sign(text) };
  await createSuccessionsFile(files, "/state").keep({ ...keys, ...signatures });
  return next;
}
