// alice, bob on one LAN. alice's agent is killed and started again while bob pings.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { readStatus } from "../fleet/local-api.ts";
import { oneLan } from "../fleet/topologies.ts";
import { readTunnels, readWireguardProcesses } from "../fleet/tunnels.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

const RESTARTS = 3;

it("an agent that is killed and started again loses no packet and makes no peer anew", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const [alice, bob] = fleet.lab.machines;
    if (!alice || !bob) throw new Error("the topology has two machines on one LAN");
    const addresses = await fleet.addresses(mesh.id);
    const before = { tunnels: await readTunnels(alice), processes: await readWireguardProcesses(alice) };
    const running = await startPing(bob, addresses.get(alice.name)?.ipv4 ?? "", { intervalMs: 20 });

    const agent = fleet.agent(alice.name);
    for (let restart = 0; restart < RESTARTS; restart++) {
      const appliedBefore = await readApplied();
      await agent.kill();
      await agent.up();
      await eventually(async () => (await isConnected()) && (await readApplied()) >= appliedBefore, {
        withinMs: 30_000,
        describe: "the new agent is connected and has applied the mesh",
      });
    }

    expect(await running.stop()).toMatchObject({ lost: 0 });
    expect(await readTunnels(alice)).toEqual(before.tunnels);
    expect(await readWireguardProcesses(alice)).toEqual(before.processes);

    async function isConnected(): Promise<boolean> {
      const machine = (await fleet.api.listMachines()).find((one) => one.name === alice?.name);
      const status = (await readStatus(agent.machine)).meshes.find(({ meshId }) => meshId === mesh.id);
      return machine?.online === true && status?.link.state === "connected";
    }
    async function readApplied(): Promise<number> {
      const member = (await fleet.api.listMembers(mesh.id)).find((one) => one.name === alice?.name);
      return member?.appliedRevision ?? -1;
    }
  });
});
