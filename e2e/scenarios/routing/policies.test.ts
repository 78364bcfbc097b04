// gina joins alice's mesh to dora's, where three networks are announced. Policy sets say which of them alice gets.
import { expect, it } from "vitest";
import { MachineRib } from "#schema/api/machine-routing";
import { withFleet } from "../../fleet/fleet.ts";
import { createRoute, untilMembers, untilRouted } from "../../fleet/routing.ts";

const machines = [{ name: "alice" }, { name: "gina" }, { name: "dora" }];
const [FIRST, SECOND, PUBLIC] = ["192.168.80.0/24", "192.168.81.0/24", "203.0.113.0/24"];

it("policy sets decide what comes from other meshes, and the routes say which rule it was", async () => {
  await withFleet({ machines }, async (fleet, office) => {
    const { api, lab } = fleet;
    const alice = lab.machine("alice");
    const shop = await api.createMesh({ name: "shop", cidr: "10.78.0.0/16" });
    const join = async (meshIds: string[], name: string) => {
      const { token } = await api.createJoinToken({ meshIds });
      await fleet.agent(name).up({ token });
    };
    await Promise.all([join([office.id], "alice"), join([office.id, shop.id], "gina"), join([shop.id], "dora")]);
    const [atAlice, atGina] = await untilMembers(fleet, office.id, ["alice", "gina"]);
    const [atDora] = await untilMembers(fleet, shop.id, ["dora"]);
    if (!atAlice || !atGina || !atDora) throw new Error("all are members");
    await api.call("PATCH", `/machines/${atGina.machineId}`, { gateway: true });
    const prefixes = [FIRST, SECOND, PUBLIC];
    await createRoute(fleet, shop.id, { name: "networks", prefixes, machineIds: [atDora.machineId] });

    // Without a policy only private networks come from elsewhere.
    await untilRouted(alice, FIRST, atGina.ipv4);
    await untilRouted(alice, SECOND, atGina.ipv4);
    await untilRouted(alice, PUBLIC, null);

    const rules = [
      { match: { prefixes: [SECOND] }, action: "reject" },
      { match: { prefixes: [PUBLIC] }, action: "accept", setLocalPreference: 200 },
    ];
    const { id } = (await api.call("POST", "/policy-sets", { name: "chosen", rules })) as { id: string };
    const verdict = await api.call("POST", `/policy-sets/${id}/test`, { prefix: SECOND });
    expect(verdict).toMatchObject({ action: "reject", ruleNumber: 1 });
    await api.call("PATCH", `/meshes/${office.id}`, { importPolicySetId: id });
    await untilRouted(alice, SECOND, null);
    await untilRouted(alice, PUBLIC, atGina.ipv4);
    await untilRouted(alice, FIRST, atGina.ipv4);
    expect(await readRib(atAlice.machineId, PUBLIC)).toMatchObject([
      { nextHop: atGina.ipv4, asPath: [String(shop.asn)], localPreference: 200, isBest: true, filterReason: null },
    ]);
    expect(await readRib(atGina.machineId, SECOND, office.id)).toMatchObject([{ filterReason: { code: "policy" } }]);
    expect((await fleet.agent("alice").becket("routes", PUBLIC)).stdout).toContain("gina");

    await api.call("PATCH", `/policy-sets/${id}`, { rules: [] });
    await untilRouted(alice, SECOND, atGina.ipv4);

    const nothing = (await api.call("POST", "/policy-sets", { name: "nothing", defaultAction: "reject" })) as {
      id: string;
    };
    await api.call("PATCH", `/machines/${atAlice.machineId}`, { importPolicySetId: nothing.id });
    for (const prefix of [FIRST, SECOND, PUBLIC]) await untilRouted(alice, prefix, null);
    await expect(api.call("DELETE", `/policy-sets/${nothing.id}`)).rejects.toThrow(/policy_set_in_use/);
    await api.call("PATCH", `/machines/${atAlice.machineId}`, { importPolicySetId: null });
    await untilRouted(alice, FIRST, atGina.ipv4);

    async function readRib(machineId: string, prefix: string, meshId?: string) {
      const query = new URLSearchParams({ prefix, ...(meshId === undefined ? {} : { meshId }) });
      return MachineRib.parse(await api.call("GET", `/machines/${machineId}/rib?${query}`)).items;
    }
  });
}, 300_000);
