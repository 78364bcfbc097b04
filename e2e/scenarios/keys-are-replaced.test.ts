// alice and bob behind easy NATs of their own, carol with a public address. UDP between alice and bob vanishes, so they talk over the relay; carol
// is reached directly. Everybody pings alice, and alice everybody, while each of them in turn gets a new WireGuard key and a new identity key.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { Machine, Member } from "#schema/machine";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { readPeer, untilPath } from "../fleet/paths.ts";
import { twoHomes } from "../fleet/topologies.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

const topology = { ...twoHomes, machines: [...twoHomes.machines, { name: "carol" }] };
/** What waits for a new key's handshake are at most 128 packets of each peer: at this pace more than six seconds' worth of both directions. */
const INTERVAL_MS = 100;
const WITHIN_MS = 60_000;

it("new keys at each end lose no packet of direct and relayed pairs, and wait for who can't hear of them", async () => {
  await withFleet(topology, async (fleet, mesh) => {
    await fleet.lab.blackhole("alice", "bob");
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    await untilPath(fleet, ["alice", "bob"], "relayed");
    await untilPath(fleet, ["alice", "carol"], "direct");
    const addresses = await fleet.addresses(mesh.id);
    const at = (name: string) => {
      const found = addresses.get(name);
      if (found === undefined) throw new Error(`${name} is no member`);
      return found;
    };
    const readMember = (name: string) =>
      fleet.api.call("GET", `/meshes/${mesh.id}/members/${at(name).machineId}`) as Promise<Member>;
    const readMachine = (name: string) => fleet.api.call("GET", `/machines/${at(name).machineId}`) as Promise<Machine>;
    /** The machine signs with another key, and has no other. */
    const untilIdentity = async (name: string, before: Machine, keyBefore: string) => {
      await eventually(async () => (await readMachine(name)).identityKeySince !== before.identityKeySince, {
        ...{ withinMs: WITHIN_MS, describe: `the control plane knows ${name}'s new identity key` },
      });
      const { identityFiles } = await eventually(
        () => {
          const identityFiles = readIdentity(fleet.lab.machine(name));
          return identityFiles.length === 1 && { identityFiles };
        },
        { withinMs: WITHIN_MS, describe: `${name} has one identity key` },
      );
      expect(identityFiles).not.toContain(keyBefore);
    };
    const rotate = (name: string) => fleet.api.call("POST", `/machines/${at(name).machineId}/rotate-keys`, {});
    const untilReplaced = async (name: string, before: Member) => {
      const after = await eventually(
        async () => {
          const member = await readMember(name);
          return member.publicKey !== before.publicKey && member;
        },
        { withinMs: WITHIN_MS, describe: `the mesh knows ${name}'s new key` },
      );
      for (const [from, to] of [
        [name, "alice"],
        ["alice", name],
      ].filter(([one, other]) => one !== other))
        await untilSession(fleet, from ?? "", to ?? "", name === to ? after : null);
      return after;
    };

    const pairs = ["bob", "carol"].flatMap((name) => [
      ["alice", name],
      [name, "alice"],
    ]) as [string, string][];
    const pings = await Promise.all(
      pairs.map(([from, to]) => startPing(fleet.lab.machine(from), at(to).ipv4, { intervalMs: INTERVAL_MS })),
    );
    const untilMore = (count: number) => {
      const wanted = pings.map((one) => one.received() + count);
      return eventually(() => pings.every((one, index) => one.received() >= (wanted[index] ?? 0)), {
        ...{ withinMs: WITHIN_MS, describe: "pings flow both ways in both pairs" },
      });
    };
    await untilMore(10);
    for (const name of ["alice", "bob", "carol"]) {
      const [before, machine] = [await readMember(name), await readMachine(name)];
      const [identityKey = ""] = readIdentity(fleet.lab.machine(name));
      await rotate(name);
      const after = await untilReplaced(name, before);
      await untilIdentity(name, machine, identityKey);
      expect(Date.parse(after.keySince ?? "")).toBeGreaterThan(Date.parse(before.keySince ?? ""));
      expect(readKeys(fleet.lab.machine(name))).toHaveLength(1);
      await untilMore(10);
    }
    for (const one of pings) expect(await one.stop()).toMatchObject({ lost: 0 });
    await untilPath(fleet, ["alice", "bob"], "relayed");
    await untilPath(fleet, ["alice", "carol"], "direct");

    await fleet.agent("carol").stop();
    const before = await readMember("alice");
    await rotate("alice");
    await eventually(async () => (await readMember("alice")).failures.some(({ code }) => code === "waits_for_peers"), {
      ...{ withinMs: WITHIN_MS, describe: "alice says that her new key waits" },
    });
    expect(await readMember("alice")).toMatchObject({ publicKey: before.publicKey });
    expect((await fleet.agent("alice").becket("status")).stdout).toMatch(/waits for carol, who isn't connected/);
    // By the key that she has now.
    await fleet.agent("carol").up();
    await untilReplaced("alice", before);
    expect((await readMember("alice")).failures).toEqual([]);
  });
}, 240_000);

/** Both know the same key, and have shaken hands with it. */
async function untilSession(fleet: Fleet, from: string, to: string, member: Member | null): Promise<void> {
  await eventually(
    async () => {
      const peer = await readPeer(fleet.lab.machine(from), to);
      return (member === null || peer.publicKey === member.publicKey) && peer.lastHandshakeAt !== null;
    },
    { withinMs: WITHIN_MS, describe: `${from} has a session with ${to}'s key` },
  );
}

function readKeys(machine: LabNode): string[] {
  const folder = path.join(machine.files.varLib, "keys");
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(path.join(folder, name), "utf8")) : [];
}

/** Its key, and the one that is to take its place while that goes on. */
function readIdentity(machine: LabNode): string[] {
  const files = ["identity.key", "identity.key.next"].map((name) => path.join(machine.files.varLib, name));
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
}
