// Three meshes in a row: alice's, dora's and erin's. gina and gustav join the first two, hugo the last two.
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import { pingOnce } from "../../fleet/reach.ts";
import { addNetwork, createRoute, readBirdRoutes, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { LabNode } from "../../lab/node.ts";
import { eventually } from "../../lab/probes/eventually.ts";

const machines = ["alice", "dora", "erin", "gina", "gustav", "hugo"].map((name) => ({ name }));
const ERINS = "192.168.90.0/24";

it("gateways join meshes, also over several, and back each other up", async () => {
  await withFleet({ machines }, async (fleet, office) => {
    const { api, lab } = fleet;
    const [alice, dora, erin] = lab.machines as [LabNode, LabNode, LabNode];
    const shop = await api.createMesh({ name: "shop", cidr: "10.78.0.0/16" });
    const depot = await api.createMesh({ name: "depot", cidr: "10.79.0.0/16" });
    const join = async (meshIds: string[], ...names: string[]) => {
      const { token } = await api.createJoinToken({ meshIds });
      await Promise.all(names.map((name) => fleet.agent(name).up({ token })));
    };
    await Promise.all([
      join([office.id], "alice"),
      join([shop.id], "dora"),
      join([depot.id], "erin"),
      join([office.id, shop.id], "gina", "gustav"),
      join([shop.id, depot.id], "hugo"),
    ]);
    const [atAlice, ginaInOffice, gustavInOffice] = await untilMembers(fleet, office.id, ["alice", "gina", "gustav"]);
    const [atDora, , , hugoInShop] = await untilMembers(fleet, shop.id, ["dora", "gina", "gustav", "hugo"]);
    const [atErin] = await untilMembers(fleet, depot.id, ["erin", "hugo"]);
    if (!atAlice || !ginaInOffice || !gustavInOffice || !atDora || !hugoInShop || !atErin)
      throw new Error("all are members");
    for (const { machineId } of [ginaInOffice, gustavInOffice, hugoInShop])
      await api.call("PATCH", `/machines/${machineId}`, { gateway: true });

    await untilPings(alice, atDora.ipv4);
    await untilPings(alice, atDora.ipv6);
    await untilPings(alice, atErin.ipv4);
    await untilPings(erin, atAlice.ipv4);
    await addNetwork(erin, "192.168.90.1/24");
    await createRoute(fleet, depot.id, { name: "erins", prefixes: [ERINS], machineIds: [atErin.machineId] });
    await untilPings(alice, "192.168.90.1");
    // What alice has of her own mesh is not to be had from elsewhere, and nothing comes round in a circle.
    const prefixes = (await readBirdRoutes(alice))
      .map(({ prefix }) => prefix)
      .filter((prefix) => !prefix.includes(":"));
    expect(prefixes.sort()).toEqual(["10.78.0.0/16", "10.79.0.0/16", ERINS]);

    const through = (await readBirdRoutes(alice)).find(({ prefix }) => prefix === "10.78.0.0/16")?.nextHop;
    const [used, other] =
      through === ginaInOffice.ipv4 ? (["gina", gustavInOffice] as const) : (["gustav", ginaInOffice] as const);
    await lab.fallAsleep(used);
    await untilRouted(alice, "10.78.0.0/16", other.ipv4);
    await untilPings(alice, atDora.ipv4);
    await untilPings(dora, atAlice.ipv4);

    await api.call("PATCH", `/machines/${other.machineId}`, { gateway: false });
    await untilRouted(alice, "10.78.0.0/16", null);
  });
}, 300_000);

const untilPings = (from: LabNode, address: string) =>
  eventually(() => pingOnce(from, address, { timeoutMs: 1_000 }), {
    withinMs: 60_000,
    describe: `${from.name} reaches ${address}`,
  });
