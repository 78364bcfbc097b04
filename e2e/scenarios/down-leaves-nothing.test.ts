// alice, bob on one LAN. alice also has a WireGuard interface and a route of her own, which are not Becket's business.
import { expect, it } from "vitest";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { oneLan } from "../fleet/topologies.ts";
import type { LabNode } from "../lab/node.ts";

it("`becket down` removes exactly what Becket made, with the agent running and without", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    const alice = fleet.lab.machines[0];
    if (!alice) throw new Error("the topology has a machine");
    await alice.exec(["ip", "link", "add", "own0", "type", "bridge"]);
    await alice.exec(["ip", "address", "add", "172.30.0.1/24", "dev", "own0"]);
    await alice.exec(["ip", "link", "set", "own0", "up"]);
    const before = await readNetwork(alice);
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    expect(await readNetwork(alice)).not.toEqual(before);

    await fleet.agent(alice.name).becket("down");
    expect(await readNetwork(alice)).toEqual(before);

    await comeBack(fleet, mesh.id, alice.name);
    await fleet.agent(alice.name).kill();
    await fleet.agent(alice.name).becket("down");
    expect(await readNetwork(alice)).toEqual(before);
  });
});

async function comeBack(fleet: Fleet, meshId: string, name: string): Promise<void> {
  await fleet.agent(name).up();
  await fleet.untilConnected(meshId);
}

/** Links, addresses, routes, rules and packet rules, without what changes by itself (counters, neighbour state). */
async function readNetwork(machine: LabNode): Promise<string[]> {
  const commands = [
    ["ip", "-brief", "link"],
    ["ip", "-brief", "address"],
    ["ip", "route", "show", "table", "all"],
    ["ip", "-6", "route", "show", "table", "all"],
    ["ip", "rule"],
    ["nft", "list", "ruleset"],
  ];
  return Promise.all(commands.map(async (argv) => (await machine.exec(argv)).stdout));
}
