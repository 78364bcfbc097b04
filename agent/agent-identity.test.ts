// A whole agent that replaces its identity key, and is stopped or fails at each step of that.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { KEY, NEXT, watchIdentity } from "./testing/identity-files.ts";
import { createTestWorld, type RunningAgent, type TestWorld } from "./testing/test-machine.ts";

let world: TestWorld;
let agent: RunningAgent;
let before: string;
beforeEach(async () => {
  world = await createTestWorld();
  agent = world.start();
  await world.untilApplied();
  before = keyIn(KEY) ?? "";
});
afterEach(() => world.close());

const until: TestWorld["machine"]["until"] = (check) => world.machine.until(check);
const { keyIn, known, order, asked } = watchIdentity(() => world);
const opened = () => world.plane.requests.filter((request) => request.startsWith("UPGRADE")).length;
const failures = async () => (await agent.status()).failures;

/** One key, known to the control plane, and nothing left over. */
async function untilReplaced(): Promise<string> {
  await until(() => expect(world.machine.files.content.has(NEXT)).toBe(false));
  await until(() => expect(keyIn(KEY)).not.toBe(before));
  const after = keyIn(KEY) ?? "";
  expect(known()[0]).toBe(after);
  return after;
}

async function restart(): Promise<void> {
  await agent.stop();
  agent = world.start({ token: null });
  await until(() => expect(world.plane.connections()).toHaveLength(2));
}

describe("a machine whose identity key is due", () => {
  test("makes another and tells it, while its sockets and tunnels stay", async () => {
    const [sockets, commands] = [opened(), world.machine.kernel.changes.length];
    order();
    const after = await untilReplaced();
    expect(asked()).toHaveLength(1);
    expect(opened()).toBe(sockets);
    expect(world.machine.kernel.changes.slice(commands)).toEqual([]);

    // Everything that it asks from here on is signed with the new one.
    world.plane.identities.endOverlap();
    await restart();
    expect(known()).toEqual([after]);
    await world.machine.pass(180_000);
    expect(asked()).toHaveLength(1);
    expect(await failures()).toEqual([]);
  });

  test("does it once, however often it is told", async () => {
    const due = keyIn(KEY);
    order();
    const after = await untilReplaced();
    world.plane.machine.setDueIdentityKey(due);
    await world.machine.pass(200_000);
    expect(keyIn(KEY)).toBe(after);
    expect(asked()).toHaveLength(1);
  });

  test("writes the new key before it tells it, and tells nothing while the disk takes none", async () => {
    const { files } = world.machine;
    files.failWrites = "ENOSPC";
    files.failFile = NEXT;
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace", code: "ENOSPC" }]));
    expect([asked(), known()]).toEqual([[], [before]]);
    files.failWrites = null;
    await untilReplaced();
    await until(async () => expect(await failures()).toEqual([]));
  });

  test("signs with the new key also while the disk does not take it in the former one's place", async () => {
    const { files } = world.machine;
    files.failWrites = "EIO";
    files.failFile = KEY;
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace", code: "EIO" }]));
    expect([keyIn(KEY), keyIn(NEXT)]).toEqual([before, known()[0]]);
    world.plane.identities.endOverlap();
    world.plane.closeSockets(AGENT_PATHS.machineSync, 1_011);
    await until(() => expect(world.plane.connections()).toHaveLength(2));
    files.failWrites = null;
    await untilReplaced();
    expect(asked()).toHaveLength(1);
  });

  test("asks again when nothing answers, and when the answer is lost", async () => {
    world.plane.levers.failNext = { times: 2, status: 503 };
    world.plane.identities.losesAnswers = 2;
    order();
    const after = await untilReplaced();
    expect(known()).toEqual([after, before]);
    expect(await failures()).toEqual([]);
  });

  test("asks again later when it was too soon, and says nothing of it", async () => {
    world.plane.identities.refusal = "rate_limited";
    order();
    await until(() => expect(asked().length).toBeGreaterThan(0));
    expect(await failures()).toEqual([]);
    world.plane.identities.refusal = null;
    await untilReplaced();
  });

  test("makes yet another key when another machine has this one, and says so", async () => {
    world.plane.identities.refusal = "key_taken";
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace", code: "key_taken" }]));
    expect(keyIn(KEY)).toBe(before);
    await until(() => expect(keyIn(NEXT)).toBeNull());
    world.plane.identities.refusal = null;
    await untilReplaced();
  });
});

describe("an agent that ended in the middle goes on from there:", () => {
  /** What the machine would find, had it been killed while it replaced its key. */
  async function interrupted(at: { readonly isKnown: boolean; readonly isOverlapOver?: boolean }): Promise<void> {
    const { files } = world.machine;
    if (at.isKnown) {
      files.failWrites = "EIO";
      files.failFile = KEY;
    } else world.plane.identities.refusal = "unavailable";
    order();
    await until(async () => expect(await failures()).toMatchObject([{ step: "identity.replace" }]));
    if (at.isOverlapOver) world.plane.identities.endOverlap();
    await agent.stop();
    files.failWrites = null;
    world.plane.identities.refusal = null;
    expect(keyIn(NEXT)).not.toBeNull();
    expect(keyIn(KEY)).toBe(before);
  }

  test("the new key was written and not told", async () => {
    await interrupted({ isKnown: false });
    world.plane.machine.setDueIdentityKey(null);
    const next = keyIn(NEXT);
    await restart();
    expect(await untilReplaced()).toBe(next);
  });

  test.each([
    ["and the former one is still taken", false],
    ["and the former one is taken no more", true],
  ])("the new key was told and did not take the former one's place, %s", async (_, isOverlapOver) => {
    await interrupted({ isKnown: true, isOverlapOver });
    const next = keyIn(NEXT);
    await restart();
    expect(await untilReplaced()).toBe(next);
    await world.untilApplied();
    expect(await failures()).toEqual([]);
  });

  test("the new key took the former one's place, and its own file stayed", async () => {
    order();
    const after = await untilReplaced();
    const { content } = world.machine.files;
    content.set(NEXT, content.get(KEY) ?? "");
    await restart();
    await world.machine.pass(5_000);
    expect([keyIn(KEY), asked().length]).toEqual([after, 1]);
    // The next one takes its place.
    world.plane.machine.setDueIdentityKey(after);
    before = after;
    await untilReplaced();
  });

  test("the file of the new key is damaged: nobody has heard of it", async () => {
    await agent.stop();
    world.machine.files.content.set(NEXT, "garbage");
    await restart();
    await world.machine.pass(5_000);
    expect(known()).toEqual([before]);
    order();
    await untilReplaced();
  });
});

test("a machine that forgets itself forgets the key that it had begun, too", async () => {
  world.plane.identities.refusal = "unavailable";
  order();
  await until(() => expect(keyIn(NEXT)).not.toBeNull());
  await agent.down({ forget: true });
  expect([keyIn(KEY), keyIn(NEXT)]).toEqual([null, null]);
});
