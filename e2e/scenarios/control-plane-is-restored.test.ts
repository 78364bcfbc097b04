// alice, bob and erin have addresses of their own; erin gets new keys and carol comes after the backup, dave after the restore. The control plane is lost
// with its state, and comes back from the backup in another folder.
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

const topology = { machines: ["alice", "bob", "carol", "dave", "erin"].map((name) => ({ name })) };
/** Agents wait for up to 30 s before they look for a control plane again. */
const BACK_MS = 90_000;

it("machines notice nothing of a restore: no packet is lost, and no address of theirs is given to another", async () => {
  await withFleet(topology, async (fleet, mesh) => {
    const { api, controlPlane, lab } = fleet;
    const enrol = async (name: string) => {
      await fleet.agent(name).up({ token: (await api.createJoinToken()).token });
      await eventually(async () => (await fleet.addresses(mesh.id)).has(name), {
        withinMs: 30_000,
        describe: `${name} is a member`,
      });
    };
    const online = async () => (await api.listMachines()).filter((machine) => machine.online).map(({ name }) => name);
    await Promise.all([enrol("alice"), enrol("bob"), enrol("erin")]);
    await fleet.untilConnected(mesh.id, { members: 3 });
    const addresses = await fleet.addresses(mesh.id);
    const pings = [
      await startPing(lab.machine("alice"), addresses.get("bob")?.ipv4 ?? "", { intervalMs: 50 }),
      await startPing(lab.machine("bob"), addresses.get("alice")?.ipv6 ?? "", { intervalMs: 50 }),
    ];

    const backup = path.join(lab.folder, "backup.tar.gz");
    await controlPlane.backUp(backup);
    // Not in the backup: a member with an address, keys of erin's, and revisions that all have seen.
    await Promise.all([enrol("carol"), replaceKeys(fleet, mesh.id, "erin")]);
    // The agent that replaced the key has the former one in its memory for two minutes more, another one has not.
    await fleet.agent("erin").stop();
    await fleet.agent("erin").up();
    await fleet.untilConnected(mesh.id, { members: 4 });
    const lost = (await fleet.addresses(mesh.id)).get("carol");
    await controlPlane.destroy();
    const stateFolder = path.join(lab.folder, "restored");
    await controlPlane.restore(backup, stateFolder);
    await controlPlane.start({ stateFolder });
    // As many changes as the lost ones were: revisions are used again.
    await api.call("PATCH", `/meshes/${mesh.id}`, { name: "office-2" });

    await eventually(async () => (await online()).sort().join() === "alice,bob,erin", {
      withinMs: BACK_MS,
      describe: "the machines of the backup are connected",
    });
    expect(await fleet.addresses(mesh.id)).toEqual(addresses);
    // The key that erin has is the one that took the known one's place, as she showed.
    const query = `action=identity_key.replaced&subjectId=${addresses.get("erin")?.machineId}`;
    const proofs = async () => listAuditEvents.reply.parse(await api.call("GET", `/audit-events?${query}`)).items;
    const proved = await eventually(async () => (await proofs()).at(0), {
      withinMs: BACK_MS,
      describe: "erin is known by her key",
    });
    expect(proved.details).toMatchObject({ provedBy: "succession", replacements: 1 });
    for (const name of ["alice", "bob", "erin"]) {
      await eventually(async () => !JSON.stringify(await fleet.agent(name).read("peers")).includes("carol"), {
        withinMs: 30_000,
        describe: `${name} has the restored members`,
      });
    }
    await eventually(
      async () => JSON.stringify(await fleet.agent("carol").read("status")).includes("machine_not_found"),
      {
        withinMs: BACK_MS,
        describe: "carol knows that the control plane does not know it",
      },
    );
    await enrol("dave");
    const known = await fleet.addresses(mesh.id);
    expect([...known.values()].map(({ ipv4 }) => ipv4)).not.toContain(lost?.ipv4);
    await eventually(() => pingOnce(lab.machine("alice"), known.get("dave")?.ipv4 ?? "", { timeoutMs: 1_000 }), {
      withinMs: 30_000,
      describe: "alice reaches the new member",
    });
    for (const ping of pings) expect(await ping.stop()).toMatchObject({ lost: 0 });

    await fleet.agent("carol").becket("down", "--forget");
    await fleet.agent("carol").stop();
    await enrol("carol");
    await fleet.untilConnected(mesh.id);
  });
}, 300_000);

/** The machine has other keys, and its former ones no more. */
async function replaceKeys(fleet: Fleet, meshId: string, name: string): Promise<void> {
  const read = async () => {
    const machine = (await fleet.api.listMachines()).find((one) => one.name === name);
    const member = (await fleet.api.listMembers(meshId)).find((one) => one.name === name);
    return { id: machine?.id, since: machine?.identityKeySince, publicKey: member?.publicKey };
  };
  const before = await read();
  await fleet.api.call("POST", `/machines/${before.id}/rotate-keys`, {});
  const next = path.join(fleet.lab.machine(name).files.varLib, "identity.key.next");
  await eventually(
    async () => {
      const { since, publicKey } = await read();
      return since !== before.since && publicKey !== before.publicKey && !existsSync(next);
    },
    { withinMs: 60_000, describe: `${name} has new keys` },
  );
}
