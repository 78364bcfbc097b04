// alice behind an easy NAT, on a machine without nftables; carol public.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { hideProgram } from "../fleet/hide-program.ts";
import { readStatus } from "../fleet/local-api.ts";
import { readPeer } from "../fleet/paths.ts";

it("a machine without nftables connects all the same, and says what it lacks", async () => {
  const topology = { lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home" }, { name: "carol" }] };
  await withFleet(topology, async (fleet, mesh) => {
    const alice = fleet.lab.machine("alice");
    await hideProgram(alice, "nft");
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);

    const { stdout } = await fleet.agent("alice").becket("netcheck");
    expect(stdout).toMatch(/^checks +nft is missing/m);
    // Public, so no hole is needed: it is taken for reachable, unproved.
    expect(await readPeer(alice, "carol")).toMatchObject({
      path: "direct",
      endpoint: `${fleet.lab.machine("carol").ipv4}:51820`,
      pathReason: { code: "direct", message: expect.stringContaining("it can't be checked") },
    });
    expect((await readStatus(alice)).meshes).toMatchObject([
      { failures: [{ code: "checks_unavailable", message: expect.stringMatching(/^nft is missing/) }] },
    ]);
  });
});
