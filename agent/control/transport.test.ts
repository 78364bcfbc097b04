import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import type { Clock } from "../system/clock.ts";
import { createHttp, type Http } from "../system/http.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeControlPlane, type FakeControlPlane } from "../testing/fake-control-plane.ts";
import type { FakeMesh } from "../testing/fake-objects.ts";
import { TEST_TOKEN } from "../testing/test-machine.ts";
import { createLongPollTransport } from "./long-poll.ts";
import type { MachineApi } from "./machine-api.ts";
import { createSocketTransport } from "./socket.ts";
import {
  type ContractPlane,
  describeTransport,
  enrolTestMachine,
  openTestLink,
  TEST_TIMINGS,
} from "./transport.contract.ts";

const TRANSPORTS = {
  WebSocket: (api: MachineApi, clock: Clock) => createSocketTransport(api, clock, TEST_TIMINGS),
  "long-poll": (api: MachineApi, clock: Clock) => createLongPollTransport(api, clock, TEST_TIMINGS),
};

async function createFakePlane(): Promise<
  ContractPlane & { readonly fake: FakeControlPlane; readonly mesh: FakeMesh }
> {
  const fake = await createFakeControlPlane();
  const mesh = fake.addMesh(0);
  let changes = 0;
  return {
    fake,
    mesh,
    url: fake.url,
    meshId: mesh.model.meshId,
    createToken: async () => TEST_TOKEN,
    change: async () => mesh.change(mesh.model.put(10 + changes++, 0)),
    appliedRevision: async () => mesh.applied.at(-1)?.revision ?? null,
    leave: async () => fake.leave(mesh),
    removeMachine: async () => fake.removeMachine(),
    close: fake.close,
  };
}

for (const [name, createTransport] of Object.entries(TRANSPORTS)) {
  describeTransport({
    name: `${name} to a fake control plane`,
    createPlane: createFakePlane,
    isShared: false,
    createTransport,
  });

  describe(`${name}, when the other side misbehaves`, () => {
    let plane: Awaited<ReturnType<typeof createFakePlane>>;
    let http: Http;
    beforeEach(async () => {
      plane = await createFakePlane();
      http = createHttp({});
    });
    afterEach(async () => {
      http.dropConnections();
      await plane.close();
    });
    const open = async (machine = enrolTestMachine(plane, http)) =>
      openTestLink({ plane, http, createTransport, machine: await machine });

    test("ends as a network failure when the control plane goes away, and when it is not there", async () => {
      const machine = await enrolTestMachine(plane, http);
      const link = await open(Promise.resolve(machine));
      await eventually(() => expect(plane.fake.connections()).toHaveLength(1));
      await plane.fake.goDown();
      await eventually(() => expect(link.ends).toMatchObject([{ code: "network" }]));
      const late = await open(Promise.resolve(machine));
      expect(late.ends).toMatchObject([{ code: "network", message: expect.stringContaining("nothing listens there") }]);
    });

    test("takes what is no JSON as no message, or as an answer of something else; it does not throw", async () => {
      const link = await open();
      await eventually(() => expect(plane.fake.connections()).toHaveLength(1));
      plane.fake.sendRaw(AGENT_PATHS.meshSync(plane.meshId), "][");
      await eventually(() => expect(link.messages.includes(undefined) || link.ends[0]?.code === "foreign").toBe(true));
    });

    test("knows a proxy's answer from the control plane's", async () => {
      const machine = await enrolTestMachine(plane, http);
      plane.fake.levers.blocksWebSockets = true;
      plane.fake.levers.failNext = { times: 1, status: 407 };
      const link = await open(Promise.resolve(machine));
      expect(link.ends).toMatchObject([{ code: "foreign" }]);
    });

    test("tells a wrong wire version from other refusals", async () => {
      const machine = await enrolTestMachine(plane, http);
      plane.fake.levers.refuseSockets = "wire_version_unsupported";
      plane.fake.levers.failNext = { times: 1, status: 426, code: "wire_version_unsupported" };
      expect((await open(Promise.resolve(machine))).ends).toMatchObject([{ code: "wire_version" }]);
    });

    test("gives up after one new token when the token is refused again", async () => {
      const machine = await enrolTestMachine(plane, http);
      plane.fake.levers.refuseSockets = "machine_token_stale";
      plane.fake.levers.failNext = { times: 9, status: 401, code: "machine_token_stale" };
      const before = plane.fake.requests.length;
      expect((await open(Promise.resolve(machine))).ends).toMatchObject([
        { code: "rejected", problem: "machine_token_stale" },
      ]);
      expect(plane.fake.requests.length - before).toBe(2);
    });
  });
}
