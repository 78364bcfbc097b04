// A whole agent whose control plane was restored from a backup of before its identity key was replaced.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateEd25519Pem, parseEd25519Pem } from "./system/ed25519.ts";
import { KEY, NEXT, watchIdentity } from "./testing/identity-files.ts";
import { createTestWorld, type RunningAgent, type TestWorld } from "./testing/test-machine.ts";

const SUCCESSIONS = "/state/identity.successions.json";
let world: TestWorld;
let agent: RunningAgent;
let first: string;
beforeEach(async () => {
  world = await createTestWorld();
  agent = world.start();
  await world.untilApplied();
  first = keyIn(KEY) ?? "";
});
afterEach(() => world.close());

const until: TestWorld["machine"]["until"] = (check) => world.machine.until(check);
const { keyIn, known, order, asked } = watchIdentity(() => world);
const failures = async () => (await agent.status()).failures;
const untilConnected = () => until(() => expect(world.plane.connections()).toHaveLength(2));

async function replaceKey(): Promise<string> {
  const before = keyIn(KEY);
  order();
  await until(() => expect(world.machine.files.content.has(NEXT)).toBe(false));
  await until(() => expect(keyIn(KEY)).not.toBe(before));
  return keyIn(KEY) ?? "";
}

/** The key that the backup holds is known, and no other. */
async function restore(key: string): Promise<void> {
  await world.plane.goDown();
  // Two minutes after the last replacement nothing is signed with the former key any more.
  await world.machine.clock.advance(120_000);
  world.plane.identities.setKey(world.plane.machineId, key);
  world.plane.machine.setDueIdentityKey(null);
  await world.plane.goUp();
}

async function restart(): Promise<void> {
  await agent.stop();
  agent = world.start({ token: null });
}

describe("a machine that the control plane knows by a former key", () => {
  test.each([1, 3])("comes back by itself, after %i replacements", async (replacements) => {
    let last = first;
    for (let number = 0; number < replacements; number++) last = await replaceKey();
    const [before, changes] = [asked().length, world.machine.kernel.changes.length];
    await restore(first);
    await untilConnected();
    expect(known()[0]).toBe(last);
    expect(world.machine.kernel.changes.slice(changes)).toEqual([]);
    // Both links were refused; one asked for both.
    expect(
      asked()
        .slice(before)
        .filter((request) => request.endsWith(" 200")),
    ).toHaveLength(1);
    expect(await failures()).toEqual([]);
  });

  test("does so after a start, too, and after each restore", async () => {
    const second = await replaceKey();
    const third = await replaceKey();
    await agent.stop();
    await restore(first);
    await restart();
    await untilConnected();
    await restore(second);
    await untilConnected();
    expect([known()[0], keyIn(KEY)]).toEqual([third, third]);
  });

  test.each([
    ["told, and did not take the former one's place", "EIO"],
    ["written, and not told", null],
  ])("goes on with another key that was %s", async (_, failWrites) => {
    const second = await replaceKey();
    const { files } = world.machine;
    if (failWrites === null) world.plane.identities.refusal = "unavailable";
    [files.failWrites, files.failFile] = [failWrites, KEY];
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace" }]));
    const next = keyIn(NEXT);
    expect([keyIn(KEY), next === null]).toEqual([second, false]);
    await agent.stop();
    [files.failWrites, world.plane.identities.refusal] = [null, null];
    await restore(first);
    await restart();
    await untilConnected();
    await until(() => expect(files.content.has(NEXT)).toBe(false));
    expect([keyIn(KEY), known()[0]]).toEqual([next, next]);
    expect(await failures()).toEqual([]);
  });

  test("says so, keeps its tunnels and asks seldom when its succession is not known there", async () => {
    await replaceKey();
    const changes = world.machine.kernel.changes.length;
    await restore(parseEd25519Pem(generateEd25519Pem()).publicKey);
    await until(async () => expect(JSON.stringify(await agent.status())).toContain("signature_invalid"));
    const before = asked().length;
    await world.machine.pass(300_000);
    expect(asked().length - before).toBeLessThan(20);
    expect(world.plane.connections()).toEqual([]);
    expect(world.machine.kernel.changes.slice(changes)).toEqual([]);
  });
});

describe("what was signed", () => {
  test("is kept before the former key is overwritten, also where the disk does not take it at first", async () => {
    const { files } = world.machine;
    [files.failWrites, files.failFile] = ["EIO", SUCCESSIONS];
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace", code: "EIO" }]));
    expect([keyIn(KEY), known()[0]]).toEqual([first, keyIn(NEXT)]);
    files.failWrites = null;
    await until(() => expect(files.content.has(NEXT)).toBe(false));
    expect(files.content.get(SUCCESSIONS)).toContain(first);
    expect(files.writes.indexOf(SUCCESSIONS)).toBeLessThan(files.writes.lastIndexOf(KEY));
  });

  test("is not there or damaged, and the machine starts and replaces its key as ever", async () => {
    await replaceKey();
    await agent.stop();
    world.machine.files.content.set(SUCCESSIONS, "garbage");
    await restart();
    await untilConnected();
    const second = keyIn(KEY) ?? "";
    await replaceKey();
    await restore(second);
    await untilConnected();
    expect(known()[0]).toBe(keyIn(KEY));
  });

  test("is forgotten with the machine", async () => {
    await replaceKey();
    expect(world.machine.files.content.has(SUCCESSIONS)).toBe(true);
    await agent.down({ forget: true });
    expect([...world.machine.files.content.keys()].filter((file) => file.startsWith("/state/identity"))).toEqual([]);
  });
});
