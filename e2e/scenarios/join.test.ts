// alice ─┐
//        ├─ LAN "home" behind an easy NAT ── internet ── carol (public), dave (public), control plane
// bob ───┘
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { fourMachines } from "../fleet/topologies.ts";

it("machines enrol with one token and every pair pings, over IPv4 and IPv6", async () => {
  await withFleet(fourMachines, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);

    const machines = await fleet.api.listMachines();
    expect(machines.map((machine) => machine.name).sort()).toEqual(["alice", "bob", "carol", "dave"]);
    expect(machines.every((machine) => machine.online)).toBe(true);
    const addresses = machines.flatMap((machine) => machine.meshes.map((membership) => membership.address));
    expect(new Set(addresses).size).toBe(4);
  });
});
