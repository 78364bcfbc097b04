import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../testing/eventually.ts";
import type { Argv } from "./exec.ts";
import { createFollowProgram } from "./follow-program.ts";

/** @returns what was heard, in order */
function follow(argv: Argv, inherited: Record<string, string | undefined> = process.env) {
  const heard: string[] = [];
  const stop = createFollowProgram(inherited)(argv, {
    onLine: (line) => heard.push(line),
    onComplaint: (text) => heard.push(`complains: ${text}`),
    onEnd: (reason) => heard.push(`ended: ${reason}`),
  });
  return { heard, stop };
}

const isAlive = (pid: number): boolean => {
  try {
    // A zombie has ended, whoever has yet to collect it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

describe("a program that is followed", () => {
  it("hands on its lines, also in pieces, and says how it ended", async () => {
    const script = "echo one; printf tw; sleep 0.05; echo o; echo oops >&2; sleep 0.05; echo three; exit 3";
    const { heard } = follow(["sh", "-c", script]);

    await eventually(() => expect(heard.at(-1)).toMatch(/^ended/));
    expect(heard).toEqual(["one", "two", "complains: oops", "three", "ended: exited with 3: oops"]);
  });

  it("can be stopped, is gone then, and says nothing more", async () => {
    const { heard, stop } = follow(["sh", "-c", "echo $$; exec yes"]);
    await eventually(() => expect(heard.length).toBeGreaterThan(1));

    stop();

    const count = heard.length;
    await eventually(() => expect(isAlive(Number(heard[0]))).toBe(false));
    expect(heard).toHaveLength(count);
  });

  it("ends when its line has no end", async () => {
    const { heard } = follow(["sh", "-c", "tr '\\n' x < /dev/zero"]);

    await eventually(() => expect(heard).toEqual(["ended: printed a line without an end"]));
  });

  it("is run without a setpriv that can't do it", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "becket-"));
    const script = "#!/bin/sh\necho 'setpriv: unrecognized option: pdeathsig' >&2\nexit 1\n";
    await writeFile(path.join(folder, "setpriv"), script, { mode: 0o755 });

    const { heard } = follow(["echo", "one"], { PATH: `${folder}:${process.env.PATH}` });

    await eventually(() => expect(heard).toEqual(["one", "ended: exited with 0"]));
    await rm(folder, { recursive: true });
  });

  it("says that it could not be run", async () => {
    const { heard } = follow(["becket-no-such-program"]);

    await eventually(() => expect(heard).toEqual([expect.stringMatching(/could not be run .*ENOENT/)]));
  });

  it("ends with us, though we are killed and it prints nothing", async () => {
    const script = `
      const { createFollowProgram } = await import(${JSON.stringify(`${import.meta.dirname}/follow-program.ts`)});
      createFollowProgram(process.env)(["sh", "-c", "echo $$; exec sleep 600"], { onLine: console.log, onComplaint() {}, onEnd() {} });
    `;
    const us = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(us.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);

    us.kill("SIGKILL");

    await eventually(() => expect(isAlive(pid)).toBe(false));
  });
});
