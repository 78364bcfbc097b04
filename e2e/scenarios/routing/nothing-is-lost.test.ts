// bob announces a network that he himself is in; gina and gustav are gateways of the mesh. alice pings into the network, and whatever happens to
// the routing itself, no packet is lost.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import { addNetwork, askBird, createRoute, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { LabNode } from "../../lab/node.ts";
import { eventually } from "../../lab/probes/eventually.ts";
import { startPing } from "../../lab/probes/ping.ts";

const machines = ["alice", "bob", "gina", "gustav"].map((name) => ({ name }));
const NETWORK = "192.168.70.0/24";

it("reflectors come and go, agents and BIRDs die, and every ping is answered", async () => {
  await withFleet({ machines }, async (fleet, mesh) => {
    const [alice, bob] = fleet.lab.machines as [LabNode, LabNode];
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const [, atBob, atGina, atGustav] = await untilMembers(
      fleet,
      mesh.id,
      machines.map(({ name }) => name),
    );
    if (!atBob || !atGina || !atGustav) throw new Error("all are members");
    await addNetwork(bob, "192.168.70.1/24");
    await createRoute(fleet, mesh.id, { name: "bobs", prefixes: [NETWORK], machineIds: [atBob.machineId] });
    await untilRouted(alice, NETWORK, atBob.ipv4);
    const pings = await startPing(alice, "192.168.70.1", { intervalMs: 10 });
    await eventually(() => pings.received() > 20, { withinMs: 60_000, describe: "pings flow" });
    const untilSessions = (machine: LabNode, wanted: number) =>
      eventually(async () => (await readSessions(machine)) === wanted, {
        withinMs: 60_000,
        describe: `${machine.name} has ${wanted} sessions`,
      });

    const reflect = (routeReflectorMode: boolean) =>
      fleet.api.call("PATCH", `/meshes/${mesh.id}`, { routeReflectorMode });
    await expect(reflect(true)).rejects.toThrow(/409.*gateway/s);
    for (const { machineId } of [atGina, atGustav])
      await fleet.api.call("PATCH", `/machines/${machineId}`, { gateway: true });
    await untilSessions(alice, 3);
    await untilSessions(bob, 3);

    await reflect(true);
    await untilSessions(alice, 2);
    await untilSessions(bob, 2);
    await untilRouted(alice, NETWORK, atBob.ipv4);
    await reflect(false);
    await untilSessions(alice, 3);
    await untilSessions(bob, 3);

    for (const machine of [bob, alice]) {
      const before = await readBirdPid(machine);
      process.kill(before, "SIGKILL");
      await eventually(async () => (await readBirdPid(machine)) !== before, {
        withinMs: 60_000,
        describe: `${machine.name}'s BIRD was started again`,
      });
      await untilSessions(machine, 3);
    }
    for (const name of ["alice", "bob"]) {
      await fleet.agent(name).kill();
      await fleet.agent(name).up();
      await eventually(async () => (await fleet.agent(name).becket("status")).stdout !== "", {
        withinMs: 60_000,
        describe: `${name}'s agent is back`,
      });
    }
    await untilRouted(alice, NETWORK, atBob.ipv4);
    const after = pings.received() + 100;
    await eventually(() => pings.received() > after, { withinMs: 60_000, describe: "pings flow" });
    expect(await pings.stop()).toMatchObject({ lost: 0 });
  });
}, 300_000);

async function readSessions(machine: LabNode): Promise<number> {
  const table = await askBird(machine, "bkt-office", "show", "protocols");
  return [...table.matchAll(/\bBGP\b.*\bEstablished\b/g)].length;
}

/** Processes are the host's too. */
async function readBirdPid(machine: LabNode): Promise<number> {
  return Number(readFileSync(path.join(machine.files.run, "bird/bkt-office.pid"), "utf8"));
}
