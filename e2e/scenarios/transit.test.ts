// alice and bob behind hard NATs of their own, gina with a public address. The mesh lets pairs go through a gateway, and not over a relay.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { readExplanations } from "../fleet/local-api.ts";
import { untilPath } from "../fleet/paths.ts";
import { pingOnce } from "../fleet/reach.ts";
import type { LabNode } from "../lab/node.ts";
import type { TopologyInput } from "../lab/plan/topology.ts";
import { eventually } from "../lab/probes/eventually.ts";

const topology: TopologyInput = {
  lans: [
    { name: "hotel", nat: "hard" },
    { name: "train", nat: "hard" },
  ],
  machines: [{ name: "alice", lan: "hotel" }, { name: "bob", lan: "train" }, { name: "gina" }],
};

it("two machines that can't reach each other talk through a gateway, which decrypts, and stop when it is none any more", async () => {
  await withFleet(topology, async (fleet, mesh) => {
    await fleet.api.call("PATCH", `/meshes/${mesh.id}`, { fallback: "transit" });
    await fleet.enrolAll();
    await untilPath(fleet, ["alice", "gina"], "direct");
    await untilPath(fleet, ["bob", "gina"], "direct");
    const addresses = await fleet.addresses(mesh.id);
    const gina = addresses.get("gina")?.machineId ?? "";

    await fleet.api.call("PATCH", `/machines/${gina}`, { gateway: true });
    await untilPath(fleet, ["alice", "bob"], "transit");
    for (const address of [addresses.get("bob")?.ipv4, addresses.get("bob")?.ipv6]) {
      await eventually(() => pingOnce(fleet.lab.machine("alice"), address ?? "", { timeoutMs: 1_000 }), {
        withinMs: 30_000,
        describe: `alice reaches bob at ${address} through gina`,
      });
    }
    const [seen] = await readExplanations(fleet.lab.machine("alice"), "bob");
    expect(seen).toMatchObject({ path: "transit", gatewayId: gina, reason: { code: "transit_chosen" } });
    expect((await fleet.agent("alice").becket("explain", "bob")).stdout).toMatch(/decrypted at the gateway/);

    await fleet.api.call("PATCH", `/machines/${gina}`, { gateway: false });
    await untilPath(fleet, ["alice", "bob"], "none");
  });
}, 180_000);

// mallory is a member that sends gina what is not meant for the mesh; printer is none, and is what gina reaches otherwise.
it("a gateway opens to its members nothing of what is behind it", async () => {
  const machines = [{ name: "mallory" }, { name: "gina" }, { name: "printer" }];
  await withFleet({ machines }, async (fleet, mesh) => {
    await fleet.api.call("PATCH", `/meshes/${mesh.id}`, { fallback: "transit" });
    const { token } = await fleet.api.createJoinToken();
    await Promise.all([fleet.agent("mallory").up({ token }), fleet.agent("gina").up({ token })]);
    await untilPath(fleet, ["mallory", "gina"], "direct");
    const addresses = await fleet.addresses(mesh.id);
    await fleet.api.call("PATCH", `/machines/${addresses.get("gina")?.machineId}`, { gateway: true });
    const [mallory, gina, printer] = fleet.lab.machines;
    if (!mallory || !gina || !printer) throw new Error("the topology has three machines");
    await eventually(async () => (await readForwarding(gina)) === "1", {
      withinMs: 30_000,
      describe: "gina forwards",
    });

    await fleet.agent("mallory").stop();
    const goals = await routeThrough(mallory, printer);
    const { ipv4 = "", ipv6 = "" } = addresses.get("mallory") ?? {};
    await printer.exec(["nft", "-f", "-"], { input: renderCounters(ipv4, ipv6) });
    const knock = async () => {
      for (const goal of goals) await pingOnce(mallory, goal, { timeoutMs: 200 });
      return readCounters(printer);
    };

    for (let round = 0; round < 5; round++) expect(await knock()).toEqual([0, 0]);
    expect(await pingOnce(mallory, addresses.get("gina")?.ipv4 ?? "", { timeoutMs: 1_000 })).toBe(true);

    // Without the rule the way is open: what was not seen above was kept from coming, and not lost on the way.
    await fleet.agent("gina").stop();
    await gina.exec(["nft", "delete", "table", "inet", "becket"]);
    expect((await knock()).every((count) => count > 0)).toBe(true);

    await fleet.agent("gina").up();
    await eventually(async () => (await gina.exec(["nft", "list", "ruleset"])).stdout.includes("forward-bkt-office"), {
      withinMs: 30_000,
      describe: "gina has its rule again",
    });
    const before = await readCounters(printer);
    expect(await knock()).toEqual(before);
  });
}, 180_000);

async function readForwarding(node: LabNode): Promise<string> {
  return (await node.exec(["sysctl", "-n", "net.ipv4.conf.bkt-office.forwarding"])).stdout.trim();
}

/** Gives the only peer of `from` the addresses of `to`, and sends it what is for them. Returns those addresses. */
async function routeThrough(from: LabNode, to: LabNode): Promise<string[]> {
  const goals = [to.ipv4 ?? "", to.ipv6 ?? ""];
  const { stdout } = await from.exec(["wg", "show", "bkt-office", "allowed-ips"]);
  const [peer = "", ...allowed] = stdout.trim().split(/\s+/);
  const all = [...allowed, `${goals[0]}/32`, `${goals[1]}/128`];
  await from.exec(["wg", "set", "bkt-office", "peer", peer, "allowed-ips", all.join(",")]);
  for (const goal of goals) await from.exec(["ip", "route", "add", goal, "dev", "bkt-office"]);
  return goals;
}

const renderCounters = (ipv4: string, ipv6: string): string =>
  `table inet seen {
  chain input {
    type filter hook input priority 0;
    ip saddr ${ipv4} counter
    ip6 saddr ${ipv6} counter
  }
}
`;

async function readCounters(node: LabNode): Promise<number[]> {
  const { stdout } = await node.exec(["nft", "list", "table", "inet", "seen"]);
  return [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) => Number(count));
}
