import { describe, expect, it } from "vitest";
import { type Argv, type CommandError, createExec, isCommandError } from "./exec.ts";

const exec = createExec(process.env);
const node = (script: string): Argv => [process.execPath, "-e", script];

async function failureOf(running: Promise<unknown>): Promise<CommandError> {
  try {
    await running;
  } catch (error) {
    if (isCommandError(error)) return error;
    throw error;
  }
  throw new Error("did not fail");
}

describe("exec", () => {
  it("gives what the program printed, and its stdin to the program", async () => {
    const { stdout, stderr } = await exec.run(["sh", "-c", "cat; echo oops >&2"], { stdin: "a line\n" });

    expect([stdout, stderr]).toEqual(["a line\n", "oops\n"]);
  });

  it("passes arguments as they are, through no shell", async () => {
    expect((await exec.run(["echo", "$HOME; rm *", ""])).stdout).toBe("$HOME; rm * \n");
  });

  it("runs programs in the C locale and with nothing else of our environment", async () => {
    const own = createExec({ ...process.env, LOG_LEVEL: "debug", WG_PROCESS_FOREGROUND: "0", LC_ALL: "de_DE" });

    const variables = (await own.run(["env"])).stdout.split("\n").map((line) => line.split("=")[0]);
    expect(variables.filter((name) => name !== "").sort()).toEqual(["LC_ALL", "PATH"]);
    expect((await own.run(["printenv", "LC_ALL"])).stdout).toBe("C\n");
  });

  it("finds system programs even when PATH does not name their folders", async () => {
    expect((await createExec({}).run(["true"])).stdout).toBe("");
  });

  it("fails with the exit code and the end of stderr", async () => {
    const failure = await failureOf(exec.run(["sh", "-c", "echo no such thing >&2; exit 3"]));

    expect(failure).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stderrTail: "no such thing" });
    expect(failure.message).toBe("sh -c echo no such thing >&2; exit 3: exited with 3: no such thing");
  });

  it("shows only the start of the arguments: the rest may be peers", async () => {
    const failure = await failureOf(exec.run(["false", "set", "bkt-a", "peer", "KEY", "endpoint", "192.0.2.1:1"]));

    expect(failure.message).toBe("false set bkt-a peer …: exited with 1");
    expect(failure.argv).toContain("KEY");
  });

  it("says that a program does not exist", async () => {
    const failure = await failureOf(exec.run(["becket-no-such-program"]));

    expect(failure).toMatchObject({ exitCode: null, signal: null, timedOut: false });
    expect(failure.message).toMatch(/could not be run .*ENOENT/);
  });

  it("kills a program that takes too long", async () => {
    const failure = await failureOf(exec.run(["sleep", "60"], { timeoutMs: 30 }));

    expect(failure).toMatchObject({ timedOut: true, signal: "SIGKILL" });
    expect(failure.message).toContain("took longer than 30 ms");
  });

  it("does not wait for a grandchild that keeps the output open", async () => {
    const failure = await failureOf(exec.run(["sh", "-c", "sleep 3 & sleep 3"], { timeoutMs: 30 }));

    expect(failure.timedOut).toBe(true);
  });

  it("kills a program that prints without end", async () => {
    const failure = await failureOf(exec.run(["yes"]));

    expect(failure).toMatchObject({ timedOut: false, signal: "SIGKILL" });
    expect(failure.message).toContain("printed too much");
  });

  it("takes as much as it is told to", async () => {
    const nineMegabytes = ["head", "-c", "9000000", "/dev/zero"] as const;

    expect((await failureOf(exec.run(nineMegabytes))).message).toContain("printed too much");
    expect((await exec.run(nineMegabytes, { maxOutputChars: 10_000_000 })).stdout).toHaveLength(9_000_000);
  });

  it("kills the program when the signal aborts, and gives the signal's reason", async () => {
    const controller = new AbortController();
    const running = exec.run(["sleep", "60"], { signal: controller.signal });
    controller.abort(new Error("enough"));

    await expect(running).rejects.toThrow("enough");
    await expect(exec.run(["true"], { signal: controller.signal })).rejects.toThrow("enough");
  });

  it("takes success from a program that does not read its stdin", async () => {
    await expect(exec.run(["true"], { stdin: "x".repeat(1_000_000) })).resolves.toBeDefined();
  });

  it("leaves a daemon that a detached program starts in a session of its own", async () => {
    // What wireguard-go does: starts itself again in the background, without our pipes, and exits.
    const script = `const child = require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" });
      child.unref(); console.log(child.pid); process.exit(0);`;

    const daemon = Number((await exec.run(node(script), { isDetached: true })).stdout);

    const session = async (pid: number) => (await exec.run(["ps", "-o", "sid=", "-p", String(pid)])).stdout.trim();
    expect(await session(daemon)).not.toBe(await session(process.pid));
    process.kill(daemon);
  });
});
