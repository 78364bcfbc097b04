// alice behind an easy NAT, on a machine without nftables; carol public.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { hideProgram } from "../fleet/hide-program.ts";
import { readPeer } from "../fleet/paths.ts";

it("a machine without nftables connects all the same, and says what it lacks", async () => {
  const topology = { lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home" }, { name: "carol" }] };
  await withFleet(topology, async (fleet, mesh) => {
    const alice = fleet.lab.machine("alice");
    await hideProgram(alice, "nft");
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);

    const { stdout } = await fleet.agent("alice").becket("netcheck");
    expect(stdout).toMatch(/nft/);
    const carol = await readPeer(alice, "carol");
    if (carol.path !== "direct") expect(carol.pathReason).toMatchObject({ code: "checks_unavailable" });
    expect(JSON.stringify(await fleet.agent("alice").read("status"))).toMatch(/nft/);
  });
});
