// What a roll-out does when a part of the control plane fails in the middle, or a machine goes back.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createMesh } from "#schema/api/meshes";
import { cancelRollout, listRollouts, pauseRollout, resumeRollout } from "#schema/api/rollouts";
import type { Database } from "../db/database.ts";
import { findOwnTurn, hasRoomNow, markAway } from "../db/rollouts.ts";
import { createDelivery } from "../machine-object/delivery.ts";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { eventually } from "../testing/eventually.ts";
import { enrolRolloutMachine, NEW_AGENT, OLD_AGENT } from "../testing/rollout-machine.ts";
import { at, createRolloutRunner, sorted } from "../testing/rollout-runner.ts";

const app = createTestApp();
const { services } = app;
const { enrolMany, startWith, start, cancelOpen } = createRolloutRunner(app);

afterEach(cancelOpen);

const execD1 = (query: string, ...values: unknown[]) =>
  env.DB.prepare(query)
    .bind(...values)
    .run();
/** The rows of D1 that change; the D1 of the tests counts one more for each statement, whatever it does. */
async function countChanges(task: () => Promise<void>): Promise<number> {
  const read = async () => (await env.DB.prepare("SELECT total_changes() AS count").first<number>("count")) ?? 0;
  const before = await read();
  await task();
  return (await read()) - before;
}

describe("who is connected gets a turn", () => {
  test("also when none of its meshes hears it", async () => {
    const name = uniqueName("mesh");
    const mesh = (await app.call(createMesh, { body: { name, cidr: "10.77.0.0/24" } })).reply;
    const machine = await enrolRolloutMachine(app, OLD_AGENT, { meshIds: [mesh.id] });
    await machine.hello();
    await start([machine]);
    await machine.untilOrdered();
  });

  test("when it says hello, also where its object died between being back and asking", async () => {
    const machines = await enrolMany(1);
    const { params, rows } = await start(machines);
    expect(await rows()).toMatchObject([{ state: "waiting", away: true }]);
    await execD1("UPDATE rollout_machines SET is_away = 0 WHERE rollout_id = ?", params.rolloutId);
    await at(machines, 0).hello();
    await at(machines, 0).untilOrdered();
  });

  test("by alarm, when its object died once it was back", async () => {
    const machines = await enrolMany(1);
    const { params } = await start(machines);
    await app.call(pauseRollout, { params });
    const machine = at(machines, 0);
    await machine.hello();
    await execD1("UPDATE rollouts SET state = 'running' WHERE id = ?", params.rolloutId);
    // It is set before the mark is taken off.
    await runDurableObjectAlarm(machine.stub);
    await machine.untilOrdered();
  });

  test("when the roll-out is resumed, though it was passed over, and also where that runs", async () => {
    const { machines, params, rows, untilStates } = await startWith(2);
    await untilStates("ordered", "waiting");
    const place = { rolloutId: params.rolloutId, machineId: at(machines, 1).machineId };
    await markAway(services.db, place, "it could not be asked");
    expect(await rows()).toMatchObject([{}, { away: true, detail: "it could not be asked" }]);
    await app.call(resumeRollout, { params });
    expect(await rows()).toMatchObject([{}, { away: false, detail: null }]);
    await at(machines, 0).hello(NEW_AGENT);
    await at(machines, 1).untilOrdered();
  });

  test("when another's object fails, which is then passed over, with the reason", async () => {
    const machines = sorted(await enrolMany(2));
    for (const machine of machines) await machine.hello();
    const [first, second] = [at(machines, 0), at(machines, 1)];
    const broken = createTestApp({
      objects: {
        ...services.objects,
        machine: (id) => {
          if (id === first.machineId) throw new Error("the object is broken");
          return services.objects.machine(id);
        },
      },
    });
    const { rows, params } = await start(machines, {}, broken);
    await second.untilOrdered();
    expect(await rows()).toMatchObject([
      { state: "waiting", away: true, detail: expect.stringContaining("could not ask it") },
      { state: "ordered", detail: null },
    ]);
    await second.hello(NEW_AGENT);
    await app.call(resumeRollout, { params });
    await first.untilOrdered();
  });

  test("when the machine before it was removed, and the API's call ended there", async () => {
    const { machines, untilStates } = await startWith(2);
    const [first, second] = [at(machines, 0), at(machines, 1)];
    await first.untilOrdered();
    const { name, machineId } = first;
    const identityKey = await first.stub.readIdentityKey();
    if (identityKey === null) throw new Error("it has no key");
    const cause = { actor: { kind: "user" as const, id: "usr_test", name: "Ada" }, requestId: "req_test" };
    await first.stub.remove({ machineId, name, identityKey }, cause);
    await second.untilOrdered();
    await untilStates("skipped", "ordered");
  });

  test("when more machines before it are away than are asked in one go: the object of the last goes on, and nothing has failed", async () => {
    const machines = sorted(await enrolMany(5));
    const { params, rows } = await start(machines);
    const areAway = async () => (await rows()).map((row) => row?.away);
    await app.call(pauseRollout, { params });
    await at(machines, 4).hello();
    await eventually(async () => expect(await areAway()).toEqual([true, true, true, true, false]));
    await execD1("UPDATE rollout_machines SET is_away = 0 WHERE rollout_id = ?", params.rolloutId);
    await execD1("UPDATE rollouts SET state = 'running' WHERE id = ?", params.rolloutId);
    const deliver = createDelivery(env, { now: Date.now, log: services.log, maxAsked: 3 });
    expect(await deliver([{ type: "rollout_unfinished", ...params }])).toEqual([]);
    await runDurableObjectAlarm(at(machines, 2).stub);
    await at(machines, 4).untilOrdered();
    expect(await areAway()).toEqual([true, true, true, true, false]);
  });
});

test("a roll-out that could not begin is paused, and is begun by resuming it", async () => {
  const machines = await enrolMany(1);
  await at(machines, 0).hello();
  const { db, arm } = failAfterBatch(services.db);
  const broken = createTestApp({ db });
  await broken.call(listRollouts, { as: "admin" });
  arm();
  const { reply, params, read } = await start(machines, {}, broken);
  expect(reply).toMatchObject({
    state: "paused",
    reason: expect.stringContaining("resume it"),
    counts: { waiting: 1 },
  });
  expect((await app.call(resumeRollout, { params })).reply).toMatchObject({ state: "running", reason: null });
  await at(machines, 0).untilOrdered();
  expect((await read()).counts).toMatchObject({ ordered: 1 });
});

/** Once it is armed, the first look after the first batch fails. */
function failAfterBatch(real: Database): { readonly db: Database; readonly arm: () => void } {
  let state: "sound" | "armed" | "due" = "sound";
  const db = new Proxy(real, {
    get(target, key) {
      if (key === "batch" && state === "armed") state = "due";
      else if (key === "select" && state === "due") {
        state = "sound";
        throw new Error("D1_ERROR: it is down");
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    db,
    arm: () => {
      state = "armed";
    },
  };
}

test("a machine that goes back to its former agent has failed after all, and the roll-out is paused", async () => {
  const { machines, read, untilStates } = await startWith(3);
  const first = at(machines, 0);
  await first.untilOrdered();
  await first.hello(NEW_AGENT);
  await untilStates("done", "ordered", "waiting");
  await first.hello(NEW_AGENT);
  await first.hello(OLD_AGENT);
  await untilStates("failed", "ordered", "waiting");
  expect(await read()).toMatchObject({
    state: "paused",
    reason: expect.stringContaining(`${first.name} failed: It came`),
  });
  await first.hello(NEW_AGENT);
  await at(machines, 1).hello(NEW_AGENT);
  await untilStates("failed", "done", "waiting");
});

test("a claim of a roll-out that was cancelled does not stay open when a later one takes its place", async () => {
  const { machines, params, untilStates } = await startWith(1);
  const first = at(machines, 0);
  await first.untilOrdered();
  await first.interruptClaim();
  await app.call(cancelRollout, { params });
  await start(machines);
  await untilStates("failed");
  await first.untilOrdered();
});

test("of two who pause it at once, one is told of", async () => {
  const { params } = await startWith(1);
  await Promise.all([app.call(pauseRollout, { params }), app.call(pauseRollout, { params })]);
  const query = { subjectId: params.rolloutId, action: "rollout.paused" };
  expect((await app.call(listAuditEvents, { query })).reply.items).toHaveLength(1);
});

test("a machine's hello writes no row, in no roll-out or while it waits", async () => {
  const { machines, params, untilStates } = await startWith(2);
  await at(machines, 0).untilOrdered();
  await untilStates("ordered", "waiting");
  const waiting = at(machines, 1);
  const outside = await enrolRolloutMachine(app);
  await outside.hello();
  const query = async () => expect(await hasRoomNow(services.db, params.rolloutId)).toBe(false);
  for (const machine of [outside, waiting]) {
    const orders = () =>
      runInDurableObject(machine.stub, (_, { storage }) => [
        storage.sql.exec("SELECT count(*) AS count FROM upgrade_orders").one(),
        storage.sql.exec("SELECT count(*) AS count FROM alarms").one(),
      ]);
    const before = await orders();
    await machine.hello();
    expect(await orders()).toEqual(before);
    const look = async () => void (await findOwnTurn(services.db, machine.machineId));
    expect(await countChanges(look)).toBe(await countChanges(query));
  }
  // The measure sees what is written.
  const place = { rolloutId: params.rolloutId, machineId: waiting.machineId };
  const write = async () => void (await markAway(services.db, place));
  expect(await countChanges(write)).toBeGreaterThan(await countChanges(query));
});
