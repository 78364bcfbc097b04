// alice, bob on one LAN; carol, dave public. Members come, go, move and change while others talk.
import { expect, it } from "vitest";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { fourMachines } from "../fleet/topologies.ts";
import { readTunnels } from "../fleet/tunnels.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

it("a removed member is cut off by every peer, and the others don't lose a packet", async () => {
  await withFleet(fourMachines, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const addresses = await fleet.addresses(mesh.id);
    const dave = addresses.get("dave");
    if (!dave) throw new Error("dave is a member");
    const others = await startPing(fleet.lab.machine("alice"), addresses.get("carol")?.ipv4 ?? "", { intervalMs: 20 });

    await fleet.api.call("DELETE", `/meshes/${mesh.id}/members/${dave.machineId}`);

    await eventually(async () => (await peersOf(fleet, "alice")).length === 2, {
      withinMs: 30_000,
      describe: "alice drops dave's key",
    });
    await eventually(async () => (await peersOf(fleet, "dave")).length === 0, {
      withinMs: 30_000,
      describe: "dave leaves the mesh",
    });
    expect(await pingOnce(fleet.lab.machine("alice"), dave.ipv4, { timeoutMs: 500 })).toBe(false);

    // A machine that comes back is a new member: it need not get the address it had (that one is quarantined).
    await fleet.api.call("POST", `/meshes/${mesh.id}/members`, { machineId: dave.machineId });
    await fleet.untilConnected(mesh.id);
    expect((await fleet.addresses(mesh.id)).get("dave")?.ipv4).not.toBe(dave.ipv4);
    expect(await others.stop()).toMatchObject({ lost: 0 });
  });
});

it("a machine that is deleted is revoked: it takes its tunnels down and can't come back", async () => {
  await withFleet(fourMachines, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const { machineId } = (await fleet.addresses(mesh.id)).get("dave") ?? { machineId: "" };

    await fleet.api.call("DELETE", `/machines/${machineId}`);

    await eventually(async () => (await peersOf(fleet, "carol")).length === 2, {
      withinMs: 30_000,
      describe: "carol drops dave's key",
    });
    await eventually(async () => (await peersOf(fleet, "dave")).length === 0, {
      withinMs: 30_000,
      describe: "dave's agent takes everything down",
    });
    expect((await fleet.api.listMachines()).map((machine) => machine.name)).not.toContain("dave");
  });
});

it("machines are in several meshes at once, and leaving one does not disturb the other", async () => {
  await withFleet(fourMachines, async (fleet, office) => {
    await fleet.enrolAll();
    await fleet.untilConnected(office.id);
    const plant = await fleet.api.createMesh({ name: "plant", cidr: "10.88.0.0/24" });
    const machines = await fleet.addresses(office.id);
    for (const name of ["bob", "carol"]) {
      await fleet.api.call("POST", `/meshes/${plant.id}/members`, { machineId: machines.get(name)?.machineId });
    }
    await fleet.untilConnected(plant.id, { members: 2 });
    const inOffice = await startPing(fleet.lab.machine("bob"), machines.get("carol")?.ipv4 ?? "", { intervalMs: 20 });

    await fleet.api.call("DELETE", `/meshes/${plant.id}?force=true`);

    await eventually(
      async () =>
        (await readTunnels(fleet.lab.machine("bob"))).every((tunnel) => tunnel.interfaceName.includes("office")),
      {
        withinMs: 30_000,
        describe: "bob takes the deleted mesh down",
      },
    );
    expect(await inOffice.stop()).toMatchObject({ lost: 0 });
  });
});

it("a public machine that comes back without its sessions reaches those behind a NAT at once", async () => {
  await withFleet(fourMachines, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const carol = fleet.agent("carol");
    const alice = (await fleet.addresses(mesh.id)).get("alice");

    await carol.becket("down");
    // By themselves alice and bob would go on sending into the lost sessions until the next rekey, up to 120 s.
    await untilOld(fleet, "alice");
    await carol.up();

    await eventually(() => pingOnce(carol.machine, alice?.ipv4 ?? "", { timeoutMs: 500 }), {
      withinMs: 30_000,
      describe: "carol, who knows no endpoint of alice, reaches her",
    });
  });
});

it("a machine whose address changes is found at the new one", async () => {
  // IPv4 only, so that no other address keeps the pair together.
  const machines = [
    { name: "carol", ipv6: "none" as const },
    { name: "dave", ipv6: "none" as const },
  ];
  await withFleet({ machines }, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);

    const ipv4 = await fleet.lab.changeAddress("carol");

    await eventually(
      async () => (await peersOf(fleet, "dave")).some((tunnel) => tunnel.endpoint?.startsWith(`${ipv4}:`)),
      { withinMs: 30_000, describe: "dave sends to carol's new address" },
    );
    await fleet.untilConnected(mesh.id);
  });
});

/** A session's first seconds are a case of their own: a handshake that young may be with the machine that came back. */
async function untilOld(fleet: Fleet, name: string): Promise<void> {
  const isOld = (handshake: number) => Date.now() / 1_000 - handshake > 6;
  await eventually(async () => (await peersOf(fleet, name)).every((tunnel) => isOld(tunnel.latestHandshake)), {
    withinMs: 30_000,
    describe: `${name}'s sessions are some seconds old`,
  });
}

async function peersOf(fleet: Fleet, name: string) {
  return readTunnels(fleet.lab.machine(name));
}
