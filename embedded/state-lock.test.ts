import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { takeLock } from "./state-lock.ts";
import { asUser, NOBODY } from "./testing/as-user.ts";
import { createStateFolder } from "./testing/control-plane-process.ts";

const isRoot = process.getuid?.() === 0;
const STARTERS = 6;
const ROUNDS = 10;
const program = path.join(import.meta.dirname, "testing/take-lock.ts");

describe("the lock on a state folder", () => {
  it("goes to exactly one of several starters at once, each time that the holder was killed", async () => {
    const folder = createStateFolder();
    const starters = new Set(await Promise.all(Array.from({ length: STARTERS }, () => startTaker(folder))));
    for (let round = 0; round < ROUNDS; round++) {
      const taken = await Promise.all([...starters].map(async (starter) => ({ starter, lock: await starter.take() })));
      const [holder, ...others] = taken.filter(({ lock }) => lock.ok);
      expect(others, `round ${round}`).toEqual([]);
      if (holder === undefined) throw new Error(`nobody has the lock in round ${round}`);
      await holder.starter.kill();
      starters.delete(holder.starter);
      starters.add(await startTaker(folder));
    }
  });

  it("names its holder, and is free again when that lets go", () => {
    const folder = createStateFolder();
    const first = takeLock(folder);
    expect(takeLock(folder)).toEqual({ ok: false, holder: String(process.pid) });
    if (first.ok) first.release();
    const second = takeLock(folder);
    expect(second.ok).toBe(true);
    if (second.ok) second.release();
  });

  it.runIf(isRoot)("that root takes, and leaves by being killed, is free for the user whose folder it is", () => {
    const folder = createStateFolder();
    chownSync(folder, NOBODY, NOBODY);
    // Of root's, before locks were given away.
    writeFileSync(path.join(folder, "lock.pid"), "1\n", { mode: 0o600 });
    const roots = takeLock(folder);
    for (const file of ["lock.db", "lock.pid"]) expect(statSync(path.join(folder, file)).uid, file).toBe(NOBODY);
    if (roots.ok) roots.release();

    writeFileSync(path.join(folder, "lock.pid"), "1\n", { mode: 0o600 });
    const users = asUser(NOBODY, () => takeLock(folder));
    expect(users.ok).toBe(true);
    if (users.ok) users.release();
  });
});

async function startTaker(folder: string) {
  const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => end(child));
  const lines = createInterface(child.stdout);
  await once(lines, "line");
  return {
    async take(): Promise<{ ok: boolean }> {
      child.stdin.write("take\n");
      const [line] = await once(lines, "line");
      return JSON.parse(line);
    },
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
