// What the whole agent does about its duties, on a fake kernel.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestWorld, type TestWorld } from "./testing/test-machine.ts";

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const VIP = { id: "vip_01arz3ndektsv4rrffq69g5fav", prefixes: ["10.1.0.99/32", "fd00:1::63/128"] };
const ROUTE = { id: "rt_01arz3ndektsv4rrffq69g5fav", prefixes: ["198.51.100.0/24"] };
const addresses = () => world.machine.kernel.links.get("bkt-mesh-0")?.addresses ?? [];

/** Tells this machine what it has to announce. */
function tell(...duties: { id: string; prefixes: string[]; isVip?: boolean; healthCheck?: object }[]): void {
  const self = world.mesh.model.desired().members.find(({ name }) => name === "host-1");
  world.mesh.change({
    ...world.mesh.model.rename(duties.length),
    announcements: [VIP, ROUTE].map(({ id, prefixes }) => ({
      ...{ id, prefixes },
      machineIds: duties.some((duty) => duty.id === id) ? [self?.machineId] : [],
    })),
    duties: duties.map(({ id, isVip = false, healthCheck = null }) => ({
      id,
      isVip,
      isMasquerading: false,
      healthCheck,
    })),
  } as unknown as Parameters<typeof world.mesh.change>[0]);
}

describe("an agent with duties", () => {
  test("holds the addresses of a VIP and forwards into the networks of a route, as long as it is told to and a moment longer", async () => {
    const { machine, start, untilApplied } = world;
    start();
    await untilApplied();
    tell({ ...VIP, isVip: true }, ROUTE);
    await untilApplied();
    expect(addresses()).toEqual(expect.arrayContaining(VIP.prefixes));
    expect(machine.kernel.links.get("bkt-mesh-0")?.isForwarding).toBe(true);
    expect(machine.files.content.get("/run/announced.json")).toContain(VIP.id);

    tell();
    await untilApplied();
    // Others may still send here.
    expect(addresses()).toEqual(expect.arrayContaining(VIP.prefixes));
    expect(machine.kernel.links.get("bkt-mesh-0")?.isForwarding).toBe(true);
    await machine.pass(9_000);
    expect(addresses()).toEqual(expect.arrayContaining(VIP.prefixes));
    await machine.pass(1_000);
    await untilApplied();
    expect(addresses()).toHaveLength(2);
    expect(machine.kernel.links.get("bkt-mesh-0")?.isForwarding).toBe(false);
  });

  test("holds none that its own configuration lets nobody check", async () => {
    const { start, untilApplied } = world;
    start();
    await untilApplied();
    const exec = {
      intervalSeconds: 5,
      timeoutSeconds: 3,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
      holdoffSeconds: 0,
    };
    tell({ ...VIP, isVip: true, healthCheck: { type: "exec", target: ["/bin/true"], ...exec } });
    await untilApplied();
    await world.machine.pass(60_000);
    expect(addresses()).toHaveLength(2);
    const told = world.mesh.signals.flatMap(({ message }) => (message.type === "checks.report" ? [message] : []));
    expect(told[0]).toMatchObject({ isAll: true, checks: [] });
    expect(told.slice(1)).toMatchObject([{ isAll: false, checks: [{ id: VIP.id, status: "unhealthy" }] }]);
    expect(told[1]?.checks[0]?.text).toContain("BECKET_ALLOW_EXEC_CHECKS");
  });

  test("touches no address when it is started anew, and takes all away on `down`", async () => {
    const { machine, start, untilApplied } = world;
    const first = start();
    await untilApplied();
    tell({ ...VIP, isVip: true });
    await untilApplied();
    await first.stop();
    machine.kernel.changes.length = 0;

    const second = start();
    await machine.until(async () => expect((await second.status()).meshes[0]?.link.state).toBe("connected"));
    await machine.pass(5_000);
    expect(machine.kernel.changes.filter((change) => change.includes("address"))).toEqual([]);
    expect(addresses()).toEqual(expect.arrayContaining(VIP.prefixes));

    await second.down({ forget: false });
    expect(machine.kernel.links.has("bkt-mesh-0")).toBe(false);
    expect(machine.files.content.has("/run/announced.json")).toBe(false);
  });
});
