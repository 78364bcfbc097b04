// gate is on the warehouse's LAN and announces it; printer is there too, and knows nothing of Becket. alice is elsewhere.
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import { pingOnce } from "../../fleet/reach.ts";
import { createRoute, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { LabNode } from "../../lab/node.ts";
import type { TopologyInput } from "../../lab/plan/topology.ts";
import { eventually } from "../../lab/probes/eventually.ts";
import { startPing } from "../../lab/probes/ping.ts";

const PING_MS = 20;
const WAREHOUSE = "192.168.50.0/24";
const topology: TopologyInput = {
  lans: [{ name: "home" }, { name: "warehouse", ipv4: WAREHOUSE }],
  machines: [
    { name: "alice", lan: "home" },
    { name: "gate", lan: "warehouse" },
    { name: "printer", lan: "warehouse" },
  ],
};

it("a machine opens the LAN that it announces to the mesh, with and without masquerading, and nothing when it is withdrawn", async () => {
  await withFleet(topology, async (fleet, mesh) => {
    const [alice, gate, printer] = fleet.lab.machines as [LabNode, LabNode, LabNode];
    const { token } = await fleet.api.createJoinToken();
    await Promise.all([fleet.agent("alice").up({ token }), fleet.agent("gate").up({ token })]);
    const [atAlice, atGate] = await untilMembers(fleet, mesh.id, ["alice", "gate"]);
    if (!atAlice || !atGate) throw new Error("both are members");
    await count(printer, { member: atAlice.ipv4, gate: gate.ipv4 ?? "" });

    const route = await createRoute(fleet, mesh.id, {
      ...{ name: "warehouse", prefixes: [WAREHOUSE], machineIds: [atGate.machineId], isMasquerading: true },
    });
    const change = (body: object) => fleet.api.call("PATCH", `/meshes/${mesh.id}/routes/${route.id}`, body);
    await untilRouted(alice, WAREHOUSE, atGate.ipv4);
    await untilPings(alice, printer.ipv4 ?? "");
    expect(await readCounts(printer)).toMatchObject({ member: 0, gate: expect.toSatisfy((count) => count > 0) });

    await change({ enabled: false });
    await untilRouted(alice, WAREHOUSE, null);
    expect(await pingOnce(alice, printer.ipv4 ?? "", { timeoutMs: 500 })).toBe(false);

    await change({ enabled: true, isMasquerading: false });
    await printer.exec(["ip", "route", "add", mesh.cidr, "via", gate.ipv4 ?? ""]);
    await untilRouted(alice, WAREHOUSE, atGate.ipv4);
    await eventually(
      async () => {
        await pingOnce(alice, printer.ipv4 ?? "", { timeoutMs: 500 });
        return ((await readCounts(printer)).member ?? 0) > 0;
      },
      { withinMs: 60_000, describe: "the printer sees alice's own address" },
    );
    // The way back works for what the LAN begins, too.
    await untilPings(printer, atAlice.ipv4);

    await fleet.agent("gate").becket("down");
    await untilRouted(alice, WAREHOUSE, null);
    expect((await gate.exec(["sysctl", "-n", "net.ipv4.conf.eth0.forwarding"])).stdout.trim()).toBe("0");
    expect((await gate.exec(["nft", "list", "ruleset"])).stdout).not.toContain("becket");
  });
}, 300_000);

it("the network moves from one machine straight to the other, back and again, and only what was under way is lost", async () => {
  const twoGates: TopologyInput = {
    lans: [{ name: "warehouse", ipv4: WAREHOUSE }],
    machines: [{ name: "alice" }, ...["gate", "door", "printer"].map((name) => ({ name, lan: "warehouse" }))],
  };
  await withFleet(twoGates, async (fleet, mesh) => {
    const [alice, printer] = [fleet.lab.machine("alice"), fleet.lab.machine("printer")];
    const { token } = await fleet.api.createJoinToken();
    await Promise.all(["alice", "gate", "door"].map((name) => fleet.agent(name).up({ token })));
    const [, atGate, atDoor] = await untilMembers(fleet, mesh.id, ["alice", "gate", "door"]);
    if (!atGate || !atDoor) throw new Error("both are members");
    const route = await createRoute(fleet, mesh.id, {
      ...{ name: "warehouse", prefixes: [WAREHOUSE], machineIds: [atGate.machineId], isMasquerading: true },
    });
    await untilRouted(alice, WAREHOUSE, atGate.ipv4);
    await untilPings(alice, printer.ipv4 ?? "");
    const pings = await startPing(alice, printer.ipv4 ?? "", { intervalMs: PING_MS });
    const moves = [atDoor, atGate, atDoor, atGate];
    for (const one of moves) {
      await fleet.api.call("PATCH", `/meshes/${mesh.id}/routes/${route.id}`, { machineIds: [one.machineId] });
      await untilRouted(alice, WAREHOUSE, one.ipv4);
      const before = pings.received();
      await eventually(() => pings.received() > before + 20, { withinMs: 60_000, describe: "pings flow" });
    }
    // What passes on the old way while WireGuard takes to the new one is refused by it, coming from a peer that may not send it any more.
    const { gaps, timesMs } = await pings.stop();
    expect(gaps.length).toBeLessThanOrEqual(moves.length);
    for (const lost of gaps) expect((lost - 1) * PING_MS).toBeLessThanOrEqual(Math.max(...timesMs));
  });
}, 300_000);

const untilPings = (from: LabNode, address: string) =>
  eventually(() => pingOnce(from, address, { timeoutMs: 1_000 }), {
    withinMs: 60_000,
    describe: `${from.name} reaches ${address}`,
  });

/** From now on, how many packets come from each of these addresses. */
async function count(node: LabNode, sources: Record<string, string>): Promise<void> {
  const rules = Object.entries(sources).map(
    ([name, address]) => `ip saddr ${address} icmp type echo-request counter comment "${name}"`,
  );
  const chain = `type filter hook input priority 0;\n${rules.join("\n")}`;
  await node.exec(["nft", "-f", "-"], { input: `table inet seen { chain input { ${chain}\n}\n}\n` });
}

async function readCounts(node: LabNode): Promise<Record<string, number>> {
  const { stdout } = await node.exec(["nft", "list", "table", "inet", "seen"]);
  const found = [...stdout.matchAll(/packets (\d+) bytes \d+ comment "(\w+)"/g)];
  return Object.fromEntries(found.map(([, packets, name = ""]) => [name, Number(packets)]));
}
