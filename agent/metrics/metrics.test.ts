import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MachineId, RouteId, VipId } from "#schema/ids";
import { AGENT_METRICS } from "#schema/metrics/agent-metrics";
import { testPeer } from "../testing/mesh-model.ts";
import { createTestWorld, type RunningAgent, type TestWorld } from "../testing/test-machine.ts";
import { type MetricsInput, toMetrics } from "./to-metrics.ts";

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

async function startWith(peerCount: number): Promise<RunningAgent> {
  for (let index = 2; index < 2 + peerCount; index++) {
    const row = testPeer(index);
    const address = `10.1.${index >> 8}.${index & 255}` as typeof row.address;
    world.mesh.model.putRow({ ...row, address });
  }
  const agent = world.start();
  await world.untilApplied();
  return agent;
}

const read = async (agent: RunningAgent) => parse((await agent.metrics()).render("text"));

function parse(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("an agent tells a Prometheus", () => {
  test("what it is, whom it is connected to, and its peers", async () => {
    const values = await read(await startWith(2));
    const mesh = 'mesh="mesh-0"';
    const of = (name: string, labels = mesh) => values.get(`becket_agent_${name}{${labels}}`);
    expect(values.get("becket_agent_control_plane_up")).toBe(1);
    expect([of("mesh_up"), of("mesh_peers"), of("mesh_failures")]).toEqual([1, 2, 0]);
    expect(of("mesh_applied_revision")).toBe(of("mesh_revision"));
    const peer = `${mesh},peer="m2"`;
    expect([of("peer_receive_bytes_total", peer), of("peer_transmit_bytes_total", peer)]).toEqual([0, 0]);
    expect([...values.keys()].filter((name) => name.startsWith(`becket_agent_peer_status{${peer}`))).toHaveLength(1);
    expect([...values.keys()].filter((name) => name.startsWith(`becket_agent_peer_path{${peer}`))).toHaveLength(1);
    // No handshake, no time of one; no BIRD, no session.
    expect(of("peer_last_handshake_timestamp_seconds", peer)).toBeUndefined();
    expect(of("bgp_session_up", peer)).toBeUndefined();
    expect(values.get("process_cpu_seconds_total")).toBe(1.5);
  });

  test("nothing that is not declared, and of each of 250 peers as much as of the first", async () => {
    const agent = await startWith(250);
    const { exec } = world.machine.ports;
    const before = { run: exec.run, count: 0 };
    Object.assign(exec, {
      run: (...args: Parameters<typeof exec.run>) => {
        before.count++;
        return before.run(...args);
      },
    });
    const values = await read(agent);
    Object.assign(exec, { run: before.run });
    // One `wg show` for the mesh.
    expect(before.count).toBe(1);
    const names = new Set([...values.keys()].map((key) => key.split("{")[0] ?? ""));
    expect([...names].filter((name) => !(name in AGENT_METRICS))).toEqual([]);
    const counts = new Map<string, number>();
    for (const key of values.keys()) {
      const peer = /peer="([^"]+)"/.exec(key)?.[1];
      if (peer !== undefined) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    }
    expect(counts.size).toBe(250);
    expect(Math.max(...counts.values())).toBeLessThan(15);
  });

  test("that it is not connected, and what it could not do", async () => {
    const agent = await startWith(1);
    await world.plane.close();
    await world.machine.pass(60_000);
    const values = await read(agent);
    expect(values.get("becket_agent_control_plane_up")).toBe(0);
    expect(values.get('becket_agent_mesh_up{mesh="mesh-0"}')).toBe(0);
    expect(values.get('becket_agent_mesh_peers{mesh="mesh-0"}')).toBe(1);
  });
});

const SELF = testPeer(1);
const PEER = testPeer(2);

const toInput = (change: Partial<MetricsInput> = {}): MetricsInput => ({
  ...{ version: "1.2.3", connection: { kind: "connecting" }, failures: [], toWallMs: (ms) => ms + 1_000 },
  enrolment: { machineId: SELF.machineId, name: "box" } as MetricsInput["enrolment"],
  host: { nodeVersion: "v24.0.0", kernelVersion: "6.1" },
  process: { cpuSeconds: 1, residentBytes: 2, startedAtMs: 3_000 },
  announcementsOf: () => [],
  routesFrom: () => ({ received: 4, filtered: 5 }),
  devices: new Map([
    [
      "bkt-a",
      {
        peers: [{ publicKey: PEER.publicKey, latestHandshakeMs: 9_000, receivedBytes: 10, sentBytes: 20 }],
      } as never,
    ],
  ]),
  meshes: [
    {
      ...{ meshId: "msh_a", name: "a", applied: { epoch: "e", revision: 3 }, failures: [] },
      device: { interfaceName: "bkt-a" },
      connection: { kind: "connected", transport: "websocket" },
      desired: { revision: 4, members: [SELF, PEER], announcements: [] },
      paths: {
        explain: () => ({
          ...{ status: "up", path: "relayed", latencyMs: 12.5, lossRatio: 0.25 },
          bgp: { state: "established", since: null, lastError: null },
        }),
      },
    } as unknown as MetricsInput["meshes"][number],
  ],
  ...change,
});

test("numbers are in base units, times by the wall clock", () => {
  const values = parse(toMetrics(toInput()).render("text"));
  const labels = '{mesh="a",peer="m2"}';
  const expected = {
    peer_up: 1,
    peer_last_handshake_timestamp_seconds: 10,
    peer_latency_seconds: 0.0125,
    peer_loss_ratio: 0.25,
    peer_receive_bytes_total: 10,
    peer_transmit_bytes_total: 20,
    bgp_session_up: 1,
    bgp_routes_received: 4,
    bgp_routes_filtered: 5,
  };
  const told = Object.keys(expected).map((name) => [name, values.get(`becket_agent_${name}${labels}`)]);
  expect(Object.fromEntries(told)).toEqual(expected);
  expect(values.get('becket_agent_peer_path{mesh="a",peer="m2",path="relayed"}')).toBe(1);
  expect(values.get("process_start_time_seconds")).toBe(3);
});

test("a WireGuard that does not answer hides the bytes, and nothing else", () => {
  const values = parse(toMetrics(toInput({ devices: new Map([["bkt-a", null]]) })).render("text"));
  const labels = '{mesh="a",peer="m2"}';
  expect(values.has(`becket_agent_peer_receive_bytes_total${labels}`)).toBe(false);
  expect(values.get(`becket_agent_peer_up${labels}`)).toBe(1);
});

test("tells of its own routes and VIPs by what they announce", () => {
  const ulid = MachineId.parse(SELF.machineId).slice(4);
  const [route, vip] = [RouteId.parse(`rt_${ulid}`), VipId.parse(`vip_${ulid}`)];
  const base = { since: "2026-11-26T00:00:00.000Z", results: [] };
  const states = [
    { id: route, isAnnounced: true, status: "unchecked" as const, reason: null, ...base },
    { id: vip, isAnnounced: false, status: "unhealthy" as const, reason: "failed", ...base },
  ];
  const [mesh] = toInput().meshes;
  const announcements = [{ id: vip, prefixes: ["10.1.0.9/32", "fd00::9/128"], machineIds: [] }];
  const meshes = [{ ...mesh, desired: { ...mesh?.desired, announcements } }] as unknown as MetricsInput["meshes"];
  const values = parse(toMetrics(toInput({ meshes, announcementsOf: () => states })).render("text"));
  const ofVip = `mesh="a",announcement="${vip}",kind="vip",prefix="10.1.0.9/32"`;
  expect(values.get(`becket_agent_announcement_up{${ofVip}}`)).toBe(0);
  expect(values.get(`becket_agent_announcement_status{${ofVip},status="unhealthy"}`)).toBe(1);
  expect(values.get(`becket_agent_announcement_up{mesh="a",announcement="${route}",kind="route",prefix=""}`)).toBe(1);
});
