// bob and carol hold a VIP in front of a small service; alice uses it while the service, a machine and a path die. gina is a gateway, which hears of
// both all the time.
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import { createVip, readAllowedPeer, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { LabNode } from "../../lab/node.ts";
import { eventually } from "../../lab/probes/eventually.ts";
import type { LabProcess } from "../../lab/system/process.ts";

const VIP = "10.77.200.1";
const PORT = 7_000;
const machines = ["alice", "bob", "carol", "gina"].map((name) => ({ name }));

it("a VIP is where its service is healthy, and moves when the service, its machine or the path to it dies", async () => {
  await withFleet({ machines }, async (fleet, mesh) => {
    const [alice, bob, carol] = fleet.lab.machines as [LabNode, LabNode, LabNode];
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const [atBob, atCarol, atGina] = await untilMembers(fleet, mesh.id, ["bob", "carol", "gina"]);
    if (!atBob || !atCarol || !atGina) throw new Error("all are members");
    await fleet.api.call("PATCH", `/machines/${atGina.machineId}`, { gateway: true });
    const vip = await createVip(fleet, mesh.id, {
      name: "database",
      address: VIP,
      machineIds: [atBob.machineId, atCarol.machineId],
      healthCheck: {
        type: "tcp",
        target: `:${PORT}`,
        intervalSeconds: 1,
        timeoutSeconds: 1,
        healthyThreshold: 1,
        unhealthyThreshold: 2,
      },
    });

    // Nobody is healthy, so nobody has it.
    expect(await readAllowedPeer(alice, `${VIP}/32`)).toBeNull();
    const services = new Map<string, LabProcess>();
    const serve = async (machine: LabNode) => services.set(machine.name, await startService(machine));
    await serve(bob);
    await untilAnswers(alice, "bob");
    await untilRouted(alice, `${vip.address6}/128`, atBob.ipv6);
    await serve(carol);
    await untilHolds(carol, true);

    // Whoever has the lower address is preferred; the other one takes over.
    await untilAnswers(alice, atBob.ipv4 < atCarol.ipv4 ? "bob" : "carol");
    const [first, second] = (await ask(alice)) === "bob" ? ([bob, carol] as const) : ([carol, bob] as const);
    await services.get(first.name)?.kill("SIGKILL");
    await untilAnswers(alice, second.name);
    await untilHolds(first, false);
    await serve(first);
    await untilAnswers(alice, first.name);

    await fleet.lab.blackhole("alice", first.name);
    await untilAnswers(alice, second.name);
    await fleet.lab.heal("alice", first.name);
    await untilAnswers(alice, first.name, { withinMs: 90_000 });

    await fleet.lab.fallAsleep(first.name);
    await untilAnswers(alice, second.name);
    await fleet.lab.wakeUp(first.name);
    await untilAnswers(alice, first.name, { withinMs: 60_000 });
  });
}, 300_000);

/** Tells everybody who connects the name of its machine. */
function startService(machine: LabNode): Promise<LabProcess> {
  const program = `require("node:net").createServer((socket) => socket.on("error", () => {}).end(require("node:os").hostname())).listen(${PORT})`;
  return machine.spawn([process.execPath, "-e", program]);
}

/** The name of the machine that answers at the VIP; null: none within a second. */
async function ask(from: LabNode): Promise<string | null> {
  const argv = ["bash", "-c", `timeout 1 cat < /dev/tcp/${VIP}/${PORT}`];
  const { stdout } = await from.exec(argv, { allowFailure: true, timeoutMs: 5_000 });
  return stdout.trim() || null;
}

const untilAnswers = (from: LabNode, name: string, { withinMs = 60_000 } = {}) =>
  eventually(
    async () => {
      const answer = await ask(from);
      if (answer !== name) throw new Error(`${answer ?? "nobody"} answers`);
      return true;
    },
    { withinMs, describe: `${name} answers at the VIP` },
  );

const untilHolds = (machine: LabNode, wanted: boolean) =>
  eventually(async () => (await machine.exec(["ip", "-brief", "address"])).stdout.includes(`${VIP}/32`) === wanted, {
    withinMs: 60_000,
    describe: `${machine.name} ${wanted ? "has the VIP" : "has the VIP no more"}`,
  });
