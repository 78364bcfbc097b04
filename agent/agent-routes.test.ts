// A whole agent, and what BIRD puts into the kernel.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Endpoint } from "#schema/address";
import { toKernelMetric } from "./net/kernel-metric.ts";
import type { Argv } from "./system/exec.ts";
import { testPeer } from "./testing/mesh-model.ts";
import { createTestWorld, type TestWorld } from "./testing/test-machine.ts";

vi.setConfig({ testTimeout: 30_000 });
const INTERFACE = "bkt-mesh-0";
const gateway = { ...testPeer(2), isGateway: true };
const NETWORK = "172.20.0.0/16";
let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const route = (how: string, prefix: string, nextHop = gateway.address as string) => {
  const { kernel } = world.machine;
  const metric = String(toKernelMetric(kernel.device(INTERFACE).listenPort));
  const argv: Argv = ["ip", "-4", "route", how, prefix, "via", nextHop, "dev", INTERFACE];
  return kernel.run([...argv, "proto", "12", "metric", metric] as unknown as Argv);
};
const allowed = () => world.machine.kernel.peer(INTERFACE, gateway.publicKey).allowedIps;
const OWN = [`${gateway.address}/32`, `${gateway.address6}/128`];

async function startInMesh(row = gateway) {
  world.mesh.model.putRow(row);
  const agent = world.start();
  await world.untilApplied();
  return agent;
}

describe("what BIRD put into the kernel", () => {
  test("goes to the peer that is its next hop, and away with it", async () => {
    await startInMesh();
    expect(world.machine.kernel.monitors.size).toBe(1);

    await route("replace", NETWORK);
    await route("replace", "0.0.0.0/0");
    await world.machine.until(() => expect(allowed()).toEqual([...OWN, NETWORK]));

    await route("delete", NETWORK);
    await world.machine.until(() => expect(allowed()).toEqual(OWN));
  });

  test("is told to whoever watches this machine, and not where nobody does", async () => {
    await startInMesh();
    const countTold = () => world.mesh.signals.filter(({ message }) => message.type === "rib.changed").length;
    await route("replace", NETWORK);
    await world.machine.until(() => expect(allowed()).toEqual([...OWN, NETWORK]));
    await world.machine.pass(2_000);
    expect(countTold()).toBe(0);
    world.mesh.change({ type: "telemetry.watch", seconds: 30 });
    await world.machine.pass(2_000);
    await route("delete", NETWORK);
    await world.machine.until(() => expect(countTold()).toBe(1));
  });

  test("is of no interest where nobody is behind anybody", async () => {
    const agent = await startInMesh({ ...gateway, isGateway: false });
    await route("replace", NETWORK);
    await world.machine.pass(2_000);

    expect(world.machine.kernel.monitors.size).toBe(0);
    expect(allowed()).toEqual(OWN);
    await agent.stop();
  });

  test("is where no path of WireGuard's may lead, as long as it is there", async () => {
    const endpoint = "172.20.0.9:51820" as Endpoint;
    const agent = await startInMesh({ ...gateway, candidates: [{ type: "host", endpoint }] });
    const outcomes = () => agent.explain(gateway.name).paths.flatMap(({ candidates }) => candidates);
    await world.machine.until(() => expect(outcomes()).not.toMatchObject([{ outcome: "unreachable" }]));

    await route("replace", NETWORK);
    await world.machine.until(() => expect(outcomes()).toMatchObject([{ endpoint, outcome: "unreachable" }]));
    await route("delete", NETWORK);
    await world.machine.until(() => expect(outcomes()).not.toMatchObject([{ outcome: "unreachable" }]));
  });

  test("stays with its peer while the agent is away, and while one that starts can't read it", async () => {
    const { kernel, until, pass } = world.machine;
    const agent = await startInMesh();
    await route("replace", NETWORK);
    await until(() => expect(allowed()).toContain(NETWORK));
    await agent.stop();
    expect(kernel.monitors.size).toBe(0);

    const seen: boolean[] = [];
    kernel.onCommand = () => void seen.push(allowed().includes(NETWORK));
    kernel.fail = (argv) => (argv[1] === "-N" ? "Cannot open netlink socket" : null);
    world.start();
    await world.untilApplied();
    await pass(3_000);
    expect(allowed()).toContain(NETWORK);
    kernel.fail = () => null;
    await pass(10_000);

    expect(seen).not.toContain(false);
    await route("delete", NETWORK);
    await until(() => expect(allowed()).toEqual(OWN));
  });
});
