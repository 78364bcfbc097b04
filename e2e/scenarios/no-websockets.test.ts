// alice, bob on one LAN, behind a proxy that does not let WebSockets pass.
import { expect, it } from "vitest";
import { createAgent } from "../fleet/agent.ts";
import { withFleet } from "../fleet/fleet.ts";
import { startRefusingProxy } from "../fleet/refusing-proxy-process.ts";
import { oneLan } from "../fleet/topologies.ts";
import { readTunnels } from "../fleet/tunnels.ts";
import { eventually } from "../lab/probes/eventually.ts";

it("machines join and follow changes by long-poll where WebSockets do not pass", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    const proxy = await startRefusingProxy(fleet.lab, fleet.controlPlane.url);
    const agents = fleet.lab.machines.map((machine) => createAgent(machine, proxy.url));
    const { token } = await fleet.api.createJoinToken();
    await Promise.all(agents.map((agent) => agent.up({ token })));
    await fleet.untilConnected(mesh.id);
    expect((await fleet.api.listMachines()).every((machine) => machine.online)).toBe(true);
    expect(await proxy.refusals()).toBeGreaterThan(0);

    const [alice, bob] = fleet.lab.machines;
    const machineId = (await fleet.addresses(mesh.id)).get(bob?.name ?? "")?.machineId;
    await fleet.api.call("DELETE", `/meshes/${mesh.id}/members/${machineId}`);
    await eventually(async () => alice !== undefined && (await readTunnels(alice)).length === 0, {
      withinMs: 30_000,
      describe: "alice hears of it through a poll that was being held",
    });
  });
});
