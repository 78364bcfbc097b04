// Two whole agents, one of which gets a new WireGuard key.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PeerRow } from "#schema/desired-state";
import { toPublicKey } from "./system/x25519.ts";
import type { RunningAgent } from "./testing/test-machine.ts";
import { createTwoMachines, type TwoMachines } from "./testing/two-machines.ts";
import { replacePrivateKey } from "./wireguard/private-key.ts";

const INTERFACE = "bkt-mesh-0";
const OTHER = "192.0.2.201:51820";
let world: TwoMachines;
let agent: RunningAgent;
beforeEach(async () => {
  world = await createTwoMachines();
  agent = world.one.start();
  world.other.start();
  await world.untilJoined();
  await untilHeard("joined");
  await world.until(() => expect(world.one.explain().path).toBe("direct"));
});
afterEach(() => world.close());

const rowOf = (machineId: string): PeerRow => {
  const row = world.mesh.model.desired().members.find((member) => member.machineId === machineId);
  if (row === undefined) throw new Error("it has not joined");
  return row;
};
const keyOf = () => rowOf(world.one.machineId).publicKey;
const failures = async () => (await agent.status()).meshes[0]?.failures ?? [];
const replace = (force = false) =>
  world.plane.machine.replaceKeys({ keysMadeBefore: new Date(world.clock.now()).toISOString(), force });
const peersOf = ({ machine }: TwoMachines["one"]) => [...machine.kernel.device(INTERFACE).peers.keys()];

/** Until the control plane has seen it go. */
async function stopOther(): Promise<void> {
  await world.other.stop();
  await world.until(() => expect(world.plane.connections()).toHaveLength(2));
}

async function untilHeard(text: string): Promise<void> {
  world.one.ping(text);
  await world.until(() => expect(world.other.machine.wireguard.received).toContain(text));
}

describe("a machine that is asked for new keys", () => {
  test("gives WireGuard another one, then tells it, and nothing of the tunnel is touched but the peer's place", async () => {
    const [before, atMs] = [keyOf(), world.clock.now()];
    const [peer, changes] = [world.one.peer(), world.one.tunnelChanges().length];
    replace();
    await world.until(() => expect(keyOf()).not.toBe(before));
    await world.until(() => expect(peersOf(world.other)).toEqual([keyOf()]));

    const { machine } = world.one;
    expect(machine.kernel.device(INTERFACE).publicKey).toBe(keyOf());
    expect(toPublicKey(machine.files.content.get(keyFile())?.trim() ?? "")).toBe(keyOf());
    expect(world.one.peer()).toBe(peer);
    expect(world.one.tunnelChanges().slice(changes)).toEqual([expect.stringContaining("private-key")]);
    const { endpoint, allowedIps } = world.other.peer();
    expect({ endpoint, allowedIps }).toMatchObject({
      endpoint: "192.0.2.200:51820",
      allowedIps: ["10.1.0.200/32", "fd00:1::200/128"],
    });
    await untilHeard("after");
    await world.pass(20_000);
    for (const one of [world.one, world.other]) expect(one.explain()).toMatchObject({ path: "direct" });
    expect(world.one.explain().endpoint).toBe(OTHER);
    const links = world.mesh.signals.flatMap(({ message }) => (message.type === "link.report" ? message.links : []));
    expect(links.filter(({ at }) => Date.parse(at) > atMs)).toEqual([]);
    expect(await failures()).toEqual([]);
  });

  test("does it once", async () => {
    const before = keyOf();
    replace();
    await world.until(() => expect(keyOf()).not.toBe(before));
    const after = keyOf();
    await world.pass(150_000);
    expect(keyOf()).toBe(after);
  });

  test("waits for a peer with a session that isn't connected, says so, and goes on when it is", async () => {
    const before = keyOf();
    await stopOther();
    replace();
    await world.until(async () => expect((await failures())[0]?.code).toBe("waits_for_peers"));
    expect((await failures())[0]).toMatchObject({
      step: "key.replace",
      message: expect.stringContaining("host-2, who isn't"),
    });
    await world.pass(30_000);
    expect(keyOf()).toBe(before);

    world.other.start({ token: null, url: null });
    await world.until(() => expect(world.plane.connections()).toHaveLength(4));
    await world.pass(16_000);
    await world.until(() => expect(keyOf()).not.toBe(before));
    await world.until(async () => expect(await failures()).toEqual([]));
    await world.until(() => expect(peersOf(world.other)).toEqual([keyOf()]));
  });

  test("waits for nobody when a person says so", async () => {
    const before = keyOf();
    await stopOther();
    replace();
    await world.until(async () => expect((await failures())[0]?.code).toBe("waits_for_peers"));
    replace(true);
    await world.until(() => expect(keyOf()).not.toBe(before));
    expect(await failures()).toEqual([]);
  });

  test("waits for its own connection", async () => {
    const before = keyOf();
    replace();
    await world.plane.goDown();
    const told = keyOf();
    await world.pass(20_000);
    await world.plane.goUp();
    await world.until(() => expect(keyOf()).not.toBe(before));
    expect([before, keyOf()]).toContain(told);
    await world.until(() => expect(world.one.machine.kernel.device(INTERFACE).publicKey).toBe(keyOf()));
  });

  test("keeps the old one while the disk takes none, and says so", async () => {
    const before = keyOf();
    const { files } = world.one.machine;
    const { writeAtomic } = files;
    files.writeAtomic = async (file, text) => {
      if (file === keyFile()) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      return writeAtomic(file, text);
    };
    replace();
    await world.until(async () => expect(await failures()).toMatchObject([{ step: "key.replace", code: "ENOSPC" }]));
    expect(keyOf()).toBe(before);
    files.writeAtomic = writeAtomic;
    await world.pass(16_000);
    await world.until(() => expect(keyOf()).not.toBe(before));
  });

  test("tells the key that it has after it died between the file and the word", async () => {
    const before = keyOf();
    await agent.stop();
    const { files } = world.one.machine;
    const another = await replacePrivateKey(files, keyFile());
    agent = world.one.start({ token: null, url: null });
    await world.until(() => expect(keyOf()).toBe(another));
    expect(keyOf()).not.toBe(before);
    await world.until(() => expect(world.one.machine.kernel.device(INTERFACE).publicKey).toBe(keyOf()));
  });
});

test("a machine replaces a key that is as old as the mesh lets keys get", async () => {
  const before = keyOf();
  world.mesh.change(world.mesh.model.setKeyRotation(1));
  await world.pass(20_000);
  expect(keyOf()).toBe(before);
  world.mesh.change(
    world.mesh.model.putRow({ ...rowOf(world.one.machineId), keySinceMs: world.clock.now() - 86_400_000 }),
  );
  await world.until(() => expect(keyOf()).not.toBe(before));
});

describe("a machine whose key is older than the mesh lets keys get, and a peer with a session stays away", () => {
  const age = (days: number) => {
    world.mesh.change(world.mesh.model.setKeyRotation(1));
    const keySinceMs = world.clock.now() - days * 86_400_000;
    world.mesh.change(world.mesh.model.putRow({ ...rowOf(world.one.machineId), keySinceMs }));
  };

  test("waits, asks less and less often, and says until when", async () => {
    const before = keyOf();
    await stopOther();
    const asked = () => world.mesh.signals.filter(({ message }) => message.type === "presence.request").length;
    age(1);
    await world.until(async () => expect((await failures())[0]?.message).toMatch(/host-2.*until \d{4}-.*Z at most/));
    const first = asked();
    await world.pass(100_000);
    expect(asked() - first).toBeLessThan(4);
    expect(keyOf()).toBe(before);
  });

  test("waits no longer than a week", async () => {
    const before = keyOf();
    await stopOther();
    age(8.1);
    await world.until(() => expect(keyOf()).not.toBe(before));
    expect(await failures()).toEqual([]);
  });
});

const keyFile = () => `/state/keys/${world.mesh.model.meshId}.key`;
