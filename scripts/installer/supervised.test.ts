// What OpenRC's supervise-daemon runs, under dash and busybox's sh, around an agent that is a stub. The scenario `openrc` has the real ones.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { toPath } from "./testing/host-programs.ts";
import { createStubMachine } from "./testing/stub-machine.ts";
import { BUSY_MS, SHELLS, SHELLS_HERE, type Shell } from "./testing/stub-systems.ts";

const supervised = path.resolve(import.meta.dirname, "../../installer/supervised.sh");
const LOG = "var/log/becket.log";
const SETTINGS = "etc/default/becket";
const MIB = 1024 * 1024;

/** Where the agent does what `agent` says, a shell script. */
function createMachine(shell: Shell, agent: string) {
  const machine = createStubMachine(shell, "alpine");
  const addProgram = (file: string, script: string) => {
    machine.write(file, `#!/bin/sh\n${script}\n`);
    chmodSync(machine.path(file), 0o755);
  };
  machine.write("calls", "");
  addProgram("usr/local/bin/becket", agent);
  addProgram("stubs/supervise-daemon", `echo "supervise-daemon $* for $RC_SVCNAME" >>"$BECKET_ROOT/calls"`);
  const start = (): ChildProcess => {
    const [program, ...first] = SHELLS[shell];
    const PATH = `${machine.path("stubs")}:${machine.path("tools")}`;
    const env = { PATH, BECKET_ROOT: machine.path(""), STUB_ROOT: machine.path("") };
    const child = spawn(toPath(program), [...first, supervised], { env, stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  /** Ends when all that it started has ended, too. @returns its exit code, and what it said */
  async function run() {
    const child = start();
    const said: string[] = [];
    child.stderr?.on("data", (data) => said.push(String(data)));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stderr: said.join(""), calls: machine.read("calls").trim() };
  }
  const until = (look: () => void) => vi.waitFor(look, { timeout: BUSY_MS / 2, interval: 20 });
  return { ...machine, addProgram, start, run, until };
}

/** In a stub: until a file is there, or the machine is gone. */
const waitFor = (file: string): string =>
  `while [ -d "$BECKET_ROOT/usr" ] && [ ! -e "$BECKET_ROOT/${file}" ]; do /bin/sleep 0.05; done`;

describe.each(SHELLS_HERE)("the agent that OpenRC runs, under %s", { timeout: BUSY_MS }, (shell) => {
  it.each([0, 2, 4, 5, 6, 7])("ends its service when it ends with %d, which wants a person", async (code) => {
    const { stderr, ...ended } = await createMachine(shell, `exit ${code}`).run();
    expect(ended).toEqual({ code, calls: "supervise-daemon becket --stop for becket" });
    expect(stderr).toContain("the service stops");
  });

  it("waits for the end that its supervisor makes of it then", async () => {
    const machine = createMachine(shell, "exit 7");
    machine.addProgram("stubs/supervise-daemon", `echo stopping >>"$BECKET_ROOT/calls"; ${waitFor("nothing")}`);
    const child = machine.start();
    await machine.until(() => expect(machine.read("calls")).toBe("stopping\n"));
    expect(child.exitCode).toBeNull();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([7, null]);
  });

  it.each([1, 137])("is left to be started again when it ends with %d", async (code) => {
    expect(await createMachine(shell, `exit ${code}`).run()).toEqual({ code, stderr: "", calls: "" });
  });

  it("is stopped with its service, and its end is waited for", async () => {
    const machine = createMachine(
      shell,
      `trap 'echo ended >>"$BECKET_ROOT/calls"; exit 0' TERM; echo up >>"$BECKET_ROOT/calls"; ${waitFor("nothing")}`,
    );
    const child = machine.start();
    await machine.until(() => expect(machine.read("calls")).toBe("up\n"));
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(machine.read("calls")).toBe("up\nended\n");
  });

  it("has the settings of each start, and the name of the token's file, and may begin upgrades", async () => {
    const machine = createMachine(shell, `env >"$BECKET_ROOT/environment"; exit 1`);
    machine.write(SETTINGS, 'BECKET_LOG_LEVEL=debug\nBECKET_METRICS="9586"\n');
    machine.write("var/lib/becket/join.env", "BECKET_URL=https://becket.test\nBECKET_TOKEN_FILE=/join.token\n");
    const readSettings = () =>
      machine
        .read("environment")
        .match(/^BECKET_(?!ROOT).*/gm)
        ?.sort();
    await machine.run();
    expect(readSettings()).toEqual([
      "BECKET_LOG_LEVEL=debug",
      "BECKET_METRICS=9586",
      "BECKET_STARTS_UPGRADES=yes",
      "BECKET_TOKEN_FILE=/join.token",
      "BECKET_URL=https://becket.test",
    ]);
    machine.remove("var/lib/becket/join.env");
    machine.remove(SETTINGS);
    await machine.run();
    expect(readSettings()).toEqual(["BECKET_STARTS_UPGRADES=yes"]);
  });

  it.each([
    ["an open quote", 'BECKET_METRICS="9586'],
    ["a $ that nobody quoted", "HTTPS_PROXY=http://who:pa$word@proxy.test:3128"],
    ["an end", "exit 0"],
  ])("is not started with settings that have %s, which want a person", async (_, line) => {
    const machine = createMachine(shell, `echo up >>"$BECKET_ROOT/calls"`);
    machine.write(SETTINGS, `BECKET_LOG_LEVEL=debug\n${line}\n`);
    const { stderr, ...ended } = await machine.run();
    expect(ended).toEqual({ code: 2, calls: "supervise-daemon becket --stop for becket" });
    expect(stderr).toMatch(/etc\/default\/becket .*'\.\.\.'.*\n.*the service stops/);
  });

  it("starts without settings that vanish while they are read", async () => {
    const machine = createMachine(shell, `echo "up $BECKET_LOG_LEVEL \${BECKET_URL-}" >>"$BECKET_ROOT/calls"; exit 1`);
    machine.write(SETTINGS, "BECKET_LOG_LEVEL='$debug'\nfalse\n");
    machine.write("var/lib/becket/join.env", "BECKET_URL=https://becket.test\n");
    machine.wrap("cat", `case $1 in *join.env) rm "$1" ;; esac`);
    expect(await machine.run()).toMatchObject({ code: 1, calls: "up $debug" });
  });

  it("has a log of bounded size, at the start and for as long as it runs", async () => {
    const machine = createMachine(shell, `${waitFor("end")}; exit 1`);
    machine.addProgram("stubs/sleep", `echo "$@" >"$BECKET_ROOT/slept"; ${waitFor("hour")}`);
    const sizes = () => [LOG, `${LOG}.1`].map((file) => statSync(machine.path(file)).size);
    machine.write(LOG, `${"-".repeat(3 * MIB)}at the start\n`);
    const ended = machine.run();
    await machine.until(() => expect(machine.read("slept")).toBe("60\n"));
    expect(sizes()).toEqual([0, MIB]);
    expect(machine.read(`${LOG}.1`)).toMatch(/at the start\n$/);
    expect(machine.modeOf(`${LOG}.1`)).toBe("600");

    machine.write(LOG, `${"-".repeat(MIB)}later\n`);
    machine.write("hour", "");
    await machine.until(() => expect(readFileSync(machine.path(`${LOG}.1`), "latin1")).toMatch(/later\n$/));
    machine.remove("hour");
    machine.write("end", "");
    expect((await ended).code).toBe(1);
    expect(sizes()).toEqual([0, MIB]);
  });
});
