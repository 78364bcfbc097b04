// alice and bob behind hard NATs of their own, gina with a public address. The mesh lets pairs go through a gateway, and not over a relay.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { readExplanations } from "../fleet/local-api.ts";
import { untilPath } from "../fleet/paths.ts";
import { pingOnce } from "../fleet/reach.ts";
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
        withinMs: 15_000,
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
