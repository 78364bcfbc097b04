// Networks inside one another, and the default route: who gets the packet.
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import { pingOnce } from "../../fleet/reach.ts";
import { addNetwork, createRoute, readBirdRoutes, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { LabNode } from "../../lab/node.ts";
import { eventually } from "../../lab/probes/eventually.ts";

const machines = [{ name: "alice" }, { name: "bob" }, { name: "carol" }];

it("the longest prefix wins, a prefix that goes leaves the shorter one, and a default route takes nothing from the machine's own", async () => {
  await withFleet({ machines }, async (fleet, mesh) => {
    const { api, lab } = fleet;
    const [alice, bob, carol] = lab.machines as [LabNode, LabNode, LabNode];
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const [, atBob, atCarol] = await untilMembers(fleet, mesh.id, ["alice", "bob", "carol"]);
    if (!atBob || !atCarol) throw new Error("both are members");
    // The address that is asked for is on both; each counts what it is asked.
    for (const machine of [bob, carol]) {
      await addNetwork(machine, "192.168.70.200/32", "fd70::200/128");
      await count(machine);
    }
    const all = ["192.168.70.0/24", "fd70::/64"];
    await createRoute(fleet, mesh.id, { name: "all", prefixes: all, machineIds: [atBob.machineId] });
    const part = ["192.168.70.128/25", "fd70::200/120"];
    const inner = await createRoute(fleet, mesh.id, { name: "part", prefixes: part, machineIds: [atCarol.machineId] });
    await untilRouted(alice, "192.168.70.128/25", atCarol.ipv4);
    await untilRouted(alice, "fd70::200/120", atCarol.ipv6);
    for (const address of ["192.168.70.200", "fd70::200"]) await untilCounted(alice, address, carol);

    await api.call("DELETE", `/meshes/${mesh.id}/routes/${inner.id}`);
    await untilRouted(alice, "192.168.70.128/25", null);
    await untilRouted(alice, "fd70::200/120", null);
    for (const address of ["192.168.70.200", "fd70::200"]) await untilCounted(alice, address, bob);

    const everything = { name: "exit", prefixes: ["0.0.0.0/0"], machineIds: [atCarol.machineId] };
    await expect(createRoute(fleet, mesh.id, everything)).rejects.toThrow(/default_route_not_allowed/);
    await createRoute(fleet, mesh.id, { ...everything, allowsDefaultRoute: true });
    await untilRouted(alice, "0.0.0.0/0", atCarol.ipv4);
    const { stdout } = await alice.exec(["ip", "-json", "route", "get", lab.control.ipv4]);
    expect(JSON.parse(stdout)).toMatchObject([{ dev: "eth0" }]);
    await untilCounted(alice, "192.168.70.200", bob);

    await fleet.agent("alice").becket("down");
    expect(await readBirdRoutes(alice)).toEqual([]);
  });
}, 300_000);

async function count(machine: LabNode): Promise<void> {
  const rules = "ip daddr 192.168.70.200 counter\nip6 daddr fd70::200 counter";
  await machine.exec(["nft", "-f", "-"], {
    input: `table inet seen { chain input { type filter hook input priority 0;\n${rules}\n}\n}\n`,
  });
}

async function readCount(machine: LabNode, address: string): Promise<number> {
  const { stdout } = await machine.exec(["nft", "list", "table", "inet", "seen"]);
  const line = stdout.split("\n").find((one) => one.includes(`daddr ${address} `));
  return Number(/packets (\d+)/.exec(line ?? "")?.[1]);
}

/** Waits until a ping of `from` is answered by this machine. */
const untilCounted = (from: LabNode, address: string, by: LabNode) =>
  eventually(
    async () => {
      const before = await readCount(by, address);
      return (await pingOnce(from, address, { timeoutMs: 1_000 })) && (await readCount(by, address)) > before;
    },
    { withinMs: 60_000, describe: `${by.name} answers at ${address}` },
  );
