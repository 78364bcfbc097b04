import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { deleteMachine, getMachine } from "#schema/api/machines";
import {
  cancelRollout,
  getRollout,
  listRolloutMachines,
  pauseRollout,
  resumeRollout,
  startRollout,
} from "#schema/api/rollouts";
import { KEPT_ROLLOUTS } from "#schema/rollout";
import { createDatabase } from "../db/database.ts";
import { createTestApp, TEST_BUILD } from "../testing/create-test-app.ts";
import { eventually } from "../testing/eventually.ts";
import { enrolRolloutMachine, NEW_AGENT, OLD_AGENT } from "../testing/rollout-machine.ts";
import { insertTestRollout } from "../testing/rollout-rows.ts";
import { at, createRolloutRunner, sorted } from "../testing/rollout-runner.ts";

const app = createTestApp();
const { enrolMany, startWith, start, cancelOpen } = createRolloutRunner(app);

afterEach(cancelOpen);

describe("a roll-out", () => {
  test("gives one machine its turn after the other, and is done with the last", async () => {
    const { machines, reply, read, untilStates } = await startWith(3);
    expect(reply).toMatchObject({ state: "running", atOnce: 1, build: TEST_BUILD, startedBy: "admin of the tests" });
    const [first, second, third] = [at(machines, 0), at(machines, 1), at(machines, 2)];
    await first.untilOrdered();
    expect([second.isOrdered(), third.isOrdered()]).toEqual([false, false]);
    await first.hello(NEW_AGENT);
    await second.untilOrdered();
    await untilStates("done", "ordered", "waiting");
    expect(first.isOrdered()).toBe(false);
    await second.hello(NEW_AGENT);
    await third.untilOrdered();
    await third.hello(NEW_AGENT);
    await untilStates("done", "done", "done");
    await eventually(async () =>
      expect(await read()).toMatchObject({ state: "done", counts: { done: 3 }, endedAt: expect.any(String) }),
    );
    expect((await app.call(getMachine, { params: { machineId: first.machineId } })).reply.upToDate).toBe(true);
  });

  test("has as many under way as it may, whoever ends first", async () => {
    const { machines, untilStates } = await startWith(4, { atOnce: 2 });
    await untilStates("ordered", "ordered", "waiting", "waiting");
    await at(machines, 1).hello(NEW_AGENT);
    await untilStates("ordered", "done", "ordered", "waiting");
    await Promise.all([at(machines, 0).hello(NEW_AGENT), at(machines, 2).hello(NEW_AGENT)]);
    await untilStates("done", "done", "done", "ordered");
  });

  test("is paused by a failure, and says whose and why; the others keep what they have until somebody resumes it", async () => {
    const { machines, params, read, untilStates } = await startWith(3);
    const [first, second] = [at(machines, 0), at(machines, 1)];
    await first.untilOrdered();
    first.say({ type: "upgrade.report", orderId: params.rolloutId, problem: "there is no room on the disk" });
    await untilStates("failed", "waiting", "waiting");
    expect(await read()).toMatchObject({
      state: "paused",
      reason: `${first.name} failed: there is no room on the disk`,
    });
    expect(second.isOrdered()).toBe(false);
    expect((await app.call(resumeRollout, { params, as: "admin" })).reply).toMatchObject({
      state: "running",
      reason: null,
    });
    await second.untilOrdered();
    expect(first.isOrdered()).toBe(false);
    await eventually(async () => {
      const { items } = (
        await app.call(listAuditEvents, { query: { subjectId: first.machineId, action: "machine.upgrade_failed" } })
      ).reply;
      expect(items).toMatchObject([
        { actor: { kind: "machine", name: first.name }, details: { detail: "there is no room on the disk" } },
      ]);
    });
  });

  test("takes a report of another order, or a doubled one, for nothing", async () => {
    const { machines, params, states, untilStates } = await startWith(2);
    const first = at(machines, 0);
    await first.untilOrdered();
    first.say({ type: "upgrade.report", orderId: `rol_${"0".repeat(26)}`, problem: "of long ago" });
    first.say({ type: "upgrade.report", orderId: params.rolloutId, problem: "no room" });
    first.say({ type: "upgrade.report", orderId: params.rolloutId, problem: "no room" });
    await untilStates("failed", "waiting");
    await app.call(resumeRollout, { params });
    await untilStates("failed", "ordered");
    await first.hello(OLD_AGENT);
    expect(await states()).toEqual(["failed", "ordered"]);
  });

  test("takes a machine that does not come back in time for a failed one", async () => {
    const { machines, read, untilStates } = await startWith(2);
    const first = at(machines, 0);
    await first.untilOrdered();
    await runDurableObjectAlarm(first.stub);
    await untilStates("ordered", "waiting");
    await runInDurableObject(
      first.stub,
      (_, { storage }) => void storage.sql.exec("UPDATE upgrade_orders SET due_at = 1"),
    );
    await runDurableObjectAlarm(first.stub);
    await untilStates("failed", "waiting");
    expect((await read()).reason).toMatch(/did not come back with the new agent within 10 minutes/);
  });

  test("is held up by nobody who is away, and takes them when they are back", async () => {
    const machines = sorted(await enrolMany(3));
    const [first, second, third] = [at(machines, 0), at(machines, 1), at(machines, 2)];
    await second.hello();
    await third.hello();
    const { params, untilStates } = await start(machines);
    await untilStates("waiting", "ordered", "waiting");
    await third.goAway();
    await evictDurableObject(third.stub);
    await second.hello(NEW_AGENT);
    await untilStates("waiting", "done", "waiting");
    await eventually(async () => {
      const { items } = (await app.call(listRolloutMachines, { params })).reply;
      expect(items.map(({ away }) => away)).toEqual([true, false, true]);
    });
    await first.hello();
    await first.untilOrdered();
    await third.hello();
    await untilStates("ordered", "done", "waiting");
    await first.hello(NEW_AGENT);
    await third.untilOrdered();
    await third.hello(NEW_AGENT);
    await untilStates("done", "done", "done");
  });

  test("ends when the last machine that was missed comes with the agent already", async () => {
    const machines = await enrolMany(1);
    const { read } = await start(machines);
    expect((await read()).counts).toMatchObject({ waiting: 1 });
    await at(machines, 0).hello(NEW_AGENT);
    await eventually(async () => expect(await read()).toMatchObject({ state: "done", counts: { done: 1 } }));
  });

  test("skips who does not allow it any more, and who was removed", async () => {
    const { machines, read, untilStates } = await startWith(3);
    const [first, second, third] = [at(machines, 0), at(machines, 1), at(machines, 2)];
    await second.hello({ ...OLD_AGENT, allowsUpgrades: false });
    await app.call(deleteMachine, { params: { machineId: first.machineId } });
    await third.untilOrdered();
    await untilStates("skipped", "skipped", "ordered");
    await app.call(deleteMachine, { params: { machineId: third.machineId } });
    expect(await read()).toMatchObject({ state: "done", counts: { skipped: 3 } });
  });

  test("says why it skipped a machine, also where it was stored by older code, and leaves a machine its own word", async () => {
    const db = createDatabase(env.DB);
    const skipped = (detail: string) => ({ state: "skipped" as const, detail });
    const machines = [skipped("not_allowed"), skipped("removed"), skipped("It was so."), { state: "failed" as const }];
    const { rolloutId, machineIds } = await insertTestRollout(db, 1, {
      ...{ isOpen: false, state: "done" },
      machines: machines.map((machine) => ({ detail: "too_old", ...machine })),
    });
    const { items } = (await app.call(listRolloutMachines, { params: { rolloutId } })).reply;
    expect(machineIds.map((id) => items.find(({ machineId }) => machineId === id)?.detail)).toEqual([
      expect.stringContaining("curl -fsSL https://becket.test/install.sh"),
      "The machine was removed.",
      "It was so.",
      "too_old",
    ]);
  });

  test("is forgotten when it is old, and another one starts", async () => {
    const db = createDatabase(env.DB);
    const ended = { isOpen: false, state: "done" as const, machines: [{}] };
    const { rolloutId } = await insertTestRollout(db, 0, ended);
    for (let time = 1; time <= KEPT_ROLLOUTS; time++) await insertTestRollout(db, time, ended);
    const look = () => app.call(getRollout, { params: { rolloutId } });
    expect((await look()).reply.state).toBe("done");
    await start(await enrolMany(1));
    expect((await look()).problem.code).toBe("rollout_not_found");
  });

  test("ends when the last machine that was missed comes and allows it no more", async () => {
    const machines = await enrolMany(1);
    const { read } = await start(machines);
    expect((await read()).counts).toMatchObject({ waiting: 1 });
    await at(machines, 0).hello({ ...OLD_AGENT, allowsUpgrades: false });
    await eventually(async () => expect(await read()).toMatchObject({ state: "done", counts: { skipped: 1 } }));
  });

  test("goes on when a claim was interrupted", async () => {
    const { machines, params, untilStates } = await startWith(1);
    const first = at(machines, 0);
    await first.untilOrdered();
    await first.interruptClaim();
    await evictDurableObject(first.stub);
    await runDurableObjectAlarm(first.stub);
    await first.hello();
    await first.untilOrdered();
    await first.hello(NEW_AGENT);
    await untilStates("done");
    await eventually(async () => expect((await app.call(getRollout, { params })).reply.state).toBe("done"));
  });
});

describe("who runs a roll-out", () => {
  test("pauses and resumes it: who was ordered goes on, and nobody else begins", async () => {
    const { machines, params, untilStates } = await startWith(2);
    await at(machines, 0).untilOrdered();
    const paused = await app.call(pauseRollout, { params, as: "admin" });
    expect(paused.reply).toMatchObject({ state: "paused", reason: "admin of the tests paused it" });
    await at(machines, 0).hello(NEW_AGENT);
    await untilStates("done", "waiting");
    expect(at(machines, 1).isOrdered()).toBe(false);
    await app.call(resumeRollout, { params, as: "admin" });
    await untilStates("done", "ordered");
  });

  test("cancels it: the rest is left alone, who was ordered still counts, and it can't be resumed", async () => {
    const { machines, params, read, untilStates } = await startWith(2);
    await at(machines, 0).untilOrdered();
    expect((await app.call(cancelRollout, { params, as: "admin" })).reply.state).toBe("cancelled");
    await untilStates("ordered", "skipped");
    await at(machines, 0).hello(NEW_AGENT);
    await untilStates("done", "skipped");
    expect((await read()).state).toBe("cancelled");
    for (const operation of [resumeRollout, pauseRollout, cancelRollout]) {
      expect((await app.call(operation, { params })).problem.code).toBe("rollout_ended");
    }
    const { items } = (await app.call(listAuditEvents, { query: { subjectId: params.rolloutId } })).reply;
    expect(items.map(({ action }) => action)).toEqual(["rollout.cancelled", "rollout.started"]);
  });

  test("has one at a time", async () => {
    const { params } = await startWith(1);
    expect((await app.call(startRollout, { body: {} })).problem.code).toBe("rollout_in_progress");
    await app.call(pauseRollout, { params });
    expect((await app.call(startRollout, { body: {} })).problem.code).toBe("rollout_in_progress");
  });

  test("is refused what can do nothing, with the reason", async () => {
    const unwilling = await enrolRolloutMachine(app, { ...OLD_AGENT, allowsUpgrades: false });
    const current = await enrolRolloutMachine(app, NEW_AGENT);
    const tryWith = async (machineId: string) =>
      (await app.call(startRollout, { body: { machineIds: [machineId] } })).problem;
    expect(await tryWith(unwilling.machineId)).toMatchObject({
      code: "nothing_to_upgrade",
      detail: expect.stringContaining("BECKET_ALLOW_UPGRADES=yes"),
    });
    expect(await tryWith(current.machineId)).toMatchObject({
      code: "nothing_to_upgrade",
      detail: expect.stringContaining("already"),
    });
    expect(await tryWith("mch_01arz3ndektsv4rrffq69g5fav")).toMatchObject({ code: "machine_not_found" });
    const unbuilt = createTestApp({ agentBuild: { read: async () => null, recent: async () => null } });
    expect((await unbuilt.call(startRollout, { body: {} })).problem.code).toBe("unavailable");
    expect((await unbuilt.call(getMachine, { params: { machineId: current.machineId } })).reply.upToDate).toBeNull();
  });

  test("does not resume one of an agent that is handed out no more", async () => {
    const { params } = await startWith(1);
    const build = { version: "0.3.0", sha256: "c".repeat(64) };
    const later = createTestApp({ agentBuild: { read: async () => build, recent: async () => build } });
    expect((await later.call(resumeRollout, { params })).problem.code).toBe("rollout_outdated");
  });
});
