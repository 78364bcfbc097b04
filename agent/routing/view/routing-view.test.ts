import { expect, it } from "vitest";
import { NO_SESSION } from "#schema/bgp";
import { type MachineId, RouteId } from "#schema/ids";
import type { BirdProtocol } from "../../bird/parse-protocols.ts";
import type { DutyHealth } from "../../health/health.ts";
import { createLogger } from "../../system/logger.ts";
import { testMachineId, testMeshId } from "../../testing/mesh-model.ts";
import { createRoutingView, type RoutingViewOptions } from "./routing-view.ts";

const meshId = testMeshId(0);
const log = createLogger({ level: "error", write: () => undefined, now: () => 0 } as never);
const protocol = (name: string, change: Partial<NonNullable<BirdProtocol["session"]>> = {}): BirdProtocol => ({
  ...{ name, type: "BGP", state: "up", sinceMs: 1_000, channels: [] },
  session: { state: "Established", neighbor: "10.1.0.2", lastError: null, isRestarting: false, ...change },
});
const bird = (protocols: readonly BirdProtocol[] | null) => ({
  readProtocols: async () => (protocols === null ? null : [...protocols]),
  readRoutes: async () => null,
});
const create = (change: Partial<RoutingViewOptions> = {}) =>
  createRoutingView({
    ...{ machineId: testMachineId(1), birdOf: () => null, listDuties: () => [], toWallMs: (ms) => ms + 1_000, log },
    onChanged: () => undefined,
    ...change,
  });

it("says of each member what BIRD says of its session, as it was when somebody looked", async () => {
  const peers = [2, 3, 4].map(testMachineId) as [MachineId, MachineId, MachineId];
  const refused = { state: "Active", lastError: "Socket: Connection refused" } as const;
  const protocols = [protocol(peers[0]), protocol(peers[1], refused), protocol("gw_msh_x"), protocol("links")];
  const view = create({ birdOf: () => bird(protocols) });
  expect(view.sessionWith(meshId, peers[0])).toEqual(NO_SESSION);
  await view.readSessions(meshId);
  const since = "1970-01-01T00:00:01.000Z";
  expect(peers.map((peer) => view.sessionWith(meshId, peer))).toEqual([
    { state: "established", since, lastError: null },
    { state: "active", since, lastError: refused.lastError },
    NO_SESSION,
  ]);
});

it("counts the routes of a session, of both families, and of none where there is no session", async () => {
  const [peer, other] = [testMachineId(2), testMachineId(3)];
  const channel = { state: "UP", exportedCount: 9 };
  const channels = [
    { name: "ipv4", importedCount: 2, filteredCount: 1, ...channel },
    { name: "ipv6", importedCount: 3, filteredCount: 0, ...channel },
  ];
  const view = create({ birdOf: () => bird([{ ...protocol(peer), channels }]) });
  expect(view.routesFrom(meshId, peer)).toBeNull();
  await view.readSessions(meshId);
  expect([view.routesFrom(meshId, peer), view.routesFrom(meshId, other)]).toEqual([{ received: 5, filtered: 1 }, null]);
});

it("asks BIRD once for all that look at the same moment", async () => {
  let count = 0;
  const readProtocols = async () => {
    count++;
    return [];
  };
  const view = create({ birdOf: () => ({ ...bird(null), readProtocols }) });
  await Promise.all([view.readSessions(meshId), view.readSessions(meshId)]);
  expect(count).toBe(1);
});

it("knows of no session when BIRD is gone, or does not answer", async () => {
  const [peer] = [testMachineId(2)];
  let answer: () => Promise<BirdProtocol[] | null> = async () => [protocol(peer)];
  const view = create({ birdOf: () => ({ ...bird(null), readProtocols: () => answer() }) });
  for (const next of [async () => null, () => Promise.reject(new Error("took longer than 5000 ms"))]) {
    await view.readSessions(meshId);
    expect(view.sessionWith(meshId, peer).state).toBe("established");
    const before = answer;
    answer = next;
    await view.readSessions(meshId);
    expect(view.sessionWith(meshId, peer)).toEqual(NO_SESSION);
    answer = before;
  }
});

it("tells what is to be announced in the mesh, in the wall clock's time", () => {
  const id = RouteId.parse("rt_01arz3ndektsv4rrffq69g5fav");
  const results = [{ atMs: 4_000, durationMs: 3, isSuccess: false, text: "refused" }];
  const duty: DutyHealth = {
    ...{ id, meshId, check: null, status: "unhealthy", successes: 0, failures: 3, sinceMs: 4_003, results },
    reason: "failed 3 times in a row: refused",
  };
  const view = create({ listDuties: () => [duty, { ...duty, meshId: testMeshId(1) }] });
  expect(view.announcementsOf(meshId)).toEqual([
    {
      ...{ id, isAnnounced: false, status: "unhealthy", since: "1970-01-01T00:00:05.003Z", reason: duty.reason },
      results: [{ at: "1970-01-01T00:00:05.000Z", durationMs: 3, isSuccess: false, text: "refused" }],
    },
  ]);
});

it("says that sessions, or what comes in them, are others than when they were read last", async () => {
  const changed: string[] = [];
  const [one = meshId, other = meshId] = [2, 3].map(testMachineId);
  const channel = { family: "ipv4", importedCount: 1, filteredCount: 0 } as unknown as BirdProtocol["channels"][number];
  let protocols: BirdProtocol[] = [protocol(one), protocol(other)];
  const view = create({ birdOf: () => bird(protocols), onChanged: (id) => changed.push(id) });
  const read = async (next: BirdProtocol[]) => {
    protocols = next;
    await view.readSessions(meshId);
    return changed.splice(0).length;
  };
  expect(await read(protocols)).toBe(0);
  expect(await read([protocol(one), protocol(other)])).toBe(0);
  expect(await read([{ ...protocol(one), channels: [channel] }, protocol(other)])).toBe(1);
  expect(await read([{ ...protocol(one), channels: [channel] }, protocol(other, { state: "Active" })])).toBe(1);
  expect(await read([{ ...protocol(one), channels: [channel] }])).toBe(1);
});
