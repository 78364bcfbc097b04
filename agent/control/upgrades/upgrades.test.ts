import { describe, expect, it } from "vitest";
import { ID_PREFIXES, RolloutId, renderUlid } from "#schema/ids";
import type { ToMachineMessage } from "#schema/wire/messages";
import type { Exec } from "../../system/exec.ts";
import { createLogger } from "../../system/logger.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { parseUpgradeResult, planUpgrade, type UpgradeSettings } from "./plan-upgrade.ts";
import { createUpgrades } from "./upgrades.ts";

const rolloutIdOf = (ms: number) => RolloutId.parse(ID_PREFIXES.rollout + renderUlid(ms, new Uint8Array(16)));
const [OLD, NEW] = ["a".repeat(64), "b".repeat(64)];
const ORDER = { orderId: rolloutIdOf(1), sha256: NEW };
const LATER = { orderId: rolloutIdOf(2), sha256: NEW };
const WANTED = "/state/upgrade.wanted";
const RESULT = "/lib/upgrade.result";

function startUpgrades(settings: Partial<UpgradeSettings> = {}, before: Record<string, string> = {}) {
  const files = createMemoryFiles({ "/lib/install.sh": "#!/bin/sh", ...before });
  const clock = createFakeClock(0);
  const sent: ToMachineMessage[] = [];
  const ran: string[] = [];
  const exec: Exec = {
    async run(argv, options) {
      ran.push([...argv, options?.isDetached ? "(detached)" : ""].join(" "));
      return { stdout: "", stderr: "" };
    },
  };
  const upgrades = createUpgrades(
    { files, exec, clock, log: createLogger({ level: "error", format: "json", now: () => 0, write: () => undefined }) },
    {
      stateDir: "/state",
      buildSha256: OLD,
      settings: { isAllowed: true, libraryDir: "/lib", startsInstaller: false, ...settings },
      send: (message) => sent.push(message),
    },
  );
  return {
    ...{ files, sent, ran, upgrades },
    async order(order: typeof ORDER | null): Promise<void> {
      upgrades.setOrder(order);
      await upgrades.whenIdle();
    },
    async pass(ms: number): Promise<void> {
      await clock.advance(ms);
      await upgrades.whenIdle();
    },
    /** install.sh takes the order, and writes. */
    say(text: string): void {
      files.content.delete(WANTED);
      files.content.set(RESULT, text);
    },
  };
}

describe("an upgrade that was ordered", () => {
  it("is asked of install.sh once, however often it is heard of", async () => {
    const machine = startUpgrades();
    await machine.order(ORDER);
    await machine.order(ORDER);
    await machine.pass(60_000);
    expect(machine.files.content.get(WANTED)).toBe(`${ORDER.orderId} ${NEW}\n`);
    expect(machine.files.writes).toEqual([WANTED]);
    expect([machine.sent, machine.ran]).toEqual([[], []]);
  });

  it("is started by the agent itself where nobody watches for it", async () => {
    const machine = startUpgrades({ startsInstaller: true });
    await machine.order(ORDER);
    expect(machine.ran).toEqual(["sh /lib/install.sh --begin-upgrade (detached)"]);
  });

  it("is waited for while install.sh works, and told when it failed, with the reason", async () => {
    const machine = startUpgrades();
    await machine.order(ORDER);
    machine.say(`${ORDER.orderId} running\n`);
    await machine.pass(10_000);
    expect(machine.sent).toEqual([]);
    machine.say(`${ORDER.orderId} failed\nFAILED: there is no room.\nWhat to do: free some.\n`);
    await machine.pass(2_000);
    const problem = "FAILED: there is no room. What to do: free some.";
    expect(machine.sent).toEqual([{ type: "upgrade.report", orderId: ORDER.orderId, problem }]);
    await machine.pass(60_000);
    expect(machine.sent).toHaveLength(1);
    expect(machine.files.writes).toEqual([WANTED]);
  });

  it("is not begun again by the agent that was put back, which tells what it finds", async () => {
    const machine = startUpgrades({}, { [RESULT]: `${ORDER.orderId} running\n` });
    await machine.order(ORDER);
    machine.say(`${ORDER.orderId} failed\nFAILED: the new agent did not start.\n`);
    await machine.pass(2_000);
    expect(machine.files.writes).toEqual([]);
    expect(machine.sent).toMatchObject([{ problem: "FAILED: the new agent did not start." }]);
  });

  it("is asked for anew by a later roll-out", async () => {
    const machine = startUpgrades({}, { [RESULT]: `${ORDER.orderId} failed\nFAILED: once.\n` });
    await machine.order(LATER);
    expect(machine.files.content.get(WANTED)).toBe(`${LATER.orderId} ${NEW}\n`);
    expect(machine.sent).toEqual([]);
  });

  it("is taken back when it is withdrawn before install.sh took it, also from an agent of before", async () => {
    const machine = startUpgrades();
    await machine.order(ORDER);
    await machine.order(null);
    expect(machine.files.content.has(WANTED)).toBe(false);
    const restarted = startUpgrades({}, { [WANTED]: `${ORDER.orderId} ${NEW}\n` });
    await restarted.order(null);
    expect(restarted.files.content.has(WANTED)).toBe(false);
  });

  it("is refused where the machine does not allow it, or install.sh did not install it", async () => {
    const unwilling = startUpgrades({ isAllowed: false });
    await unwilling.order(ORDER);
    const byHand = startUpgrades();
    byHand.files.content.delete("/lib/install.sh");
    await byHand.order(ORDER);
    expect(unwilling.sent).toMatchObject([{ problem: expect.stringContaining("BECKET_ALLOW_UPGRADES=yes") }]);
    expect(byHand.sent).toMatchObject([{ problem: expect.stringContaining("not installed by install.sh") }]);
    expect([...unwilling.files.writes, ...byHand.files.writes]).toEqual([]);
  });

  it("is told as failed when the disk takes no order", async () => {
    const machine = startUpgrades();
    machine.files.failWrites = "ENOSPC";
    await machine.order(ORDER);
    expect(machine.sent).toMatchObject([{ orderId: ORDER.orderId, problem: expect.stringContaining("ENOSPC") }]);
  });

  it("is nothing to do for the agent that was ordered", () => {
    const facts = { order: ORDER, hasInstaller: true, result: null, isAsked: false, settings: { isAllowed: false } };
    expect(planUpgrade({ ...facts, buildSha256: NEW })).toEqual({ type: "none" });
  });
});

it("reads a result of install.sh, and nothing else", () => {
  expect(parseUpgradeResult(`${ORDER.orderId} ok\n`)).toEqual({ orderId: ORDER.orderId, state: "ok", problem: "" });
  for (const text of [null, "", "rol_1 ok", `${ORDER.orderId} dancing`, `${ORDER.orderId}`, "\n\n"]) {
    expect(parseUpgradeResult(text)).toBeNull();
  }
});
