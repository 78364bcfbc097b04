// alice behind a router that maps ports.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { eventually } from "../lab/probes/eventually.ts";

it("a port that the router opened is shown as a candidate, and closed again by `becket down`", async () => {
  const topology = {
    lans: [{ name: "home", nat: "mapped" as const }],
    machines: [{ name: "alice", lan: "home" }, { name: "carol" }],
  };
  await withFleet(topology, async (fleet, mesh) => {
    const home = fleet.lab.node("home");
    const openPorts = async () =>
      (await home.exec(["nft", "list", "chain", "inet", "lab", "miniupnpd_prerouting"])).stdout.match(/dnat/g)
        ?.length ?? 0;
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    await eventually(async () => (await openPorts()) > 0, {
      withinMs: 30_000,
      describe: "the router has opened a port",
    });
    const explained = async () => (await fleet.agent("carol").becket("explain", "alice", "--json")).stdout;
    await eventually(async () => (await explained()).includes("port_mapped"), {
      withinMs: 30_000,
      describe: "carol knows the opened port",
    });

    await fleet.agent("alice").becket("down");
    expect(await openPorts()).toBe(0);
  });
});
