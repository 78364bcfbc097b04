// install.sh --upgrade under dash and busybox: what it takes from the agent's order, what it looks at itself, and what it says of it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { hasProgram, toPath } from "./testing/host-programs.ts";
import { toSha256 } from "./testing/render-served.ts";
import { createStubMachine } from "./testing/stub-machine.ts";
import { BUSY_MS, JOIN, ORIGIN, SHELLS_HERE, type Shell } from "./testing/stub-systems.ts";

const ORDER = `rol_${"0".repeat(26)}`;
const FORMER = "// the agent\n";
const NEWER = "// a newer agent\n";
const BROKEN = "// broken\n";
const BUNDLE = "usr/local/lib/becket/becket.mjs";
const WANTED = "var/lib/becket/upgrade.wanted";
const RESULT = "usr/local/lib/becket/upgrade.result";
const ALLOWED = { BECKET_ALLOW_UPGRADES: "yes" };

/** With an agent that was ordered, and a control plane that has it. Only where it is said so, the agent before was really installed. */
function createOrderedMachine(
  shell: Shell,
  { system = "debian13", served = NEWER, isInstalled = false }: OrderedOptions = {},
) {
  const machine = createStubMachine(shell, system);
  const installed = machine.script();
  if (isInstalled) machine.run(JOIN);
  else machine.write(BUNDLE, FORMER);
  machine.publish(served);
  machine.write(WANTED, `${ORDER} ${toSha256(served === BROKEN ? BROKEN : NEWER)}\n`);
  return {
    ...machine,
    upgrade: (env: Record<string, string> = ALLOWED) => machine.run({ args: ["--upgrade"], env, script: installed }),
    begin: () => machine.run({ args: ["--begin-upgrade"], script: installed }),
  };
}

interface OrderedOptions {
  readonly system?: "debian13" | "alpine";
  readonly served?: string;
  readonly isInstalled?: boolean;
}

it.runIf(hasProgram("systemd-analyze"))("has units that systemd understands", () => {
  const folder = path.resolve(import.meta.dirname, "../../installer");
  const units = ["becket-upgrade.service", "becket-upgrade.path"].map((unit) => path.join(folder, unit));
  execFileSync(toPath("systemd-analyze"), ["verify", "--man=no", "--recursive-errors=no", ...units]);
});

describe.each(SHELLS_HERE)("install.sh --upgrade under %s", { timeout: BUSY_MS }, (shell) => {
  it("installs the agent that was ordered, from the control plane that it was installed from", () => {
    const machine = createOrderedMachine(shell, { isInstalled: true });
    const { code, stderr, calls } = machine.upgrade();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(calls[0]).toMatch(new RegExp(`^curl .*${ORIGIN}/install.sh$`));
    expect(calls).toContain("systemctl restart becket.service");
    expect(machine.read(BUNDLE)).toBe(NEWER);
    expect(machine.read(RESULT)).toBe(`${ORDER} ok\n`);
    expect(machine.has(WANTED)).toBe(false);
    expect(machine.run({ args: ["--uninstall"] }).code).toBe(0);
    expect(machine.files()).toEqual(["etc/os-release"]);
  });

  it.each([{}, { BECKET_ALLOW_UPGRADES: "no" }])("does nothing where the machine does not allow it: %j", (env) => {
    const machine = createOrderedMachine(shell);
    const { code, calls } = machine.upgrade(env);
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(machine.read(BUNDLE)).not.toBe(NEWER);
    expect(machine.read(RESULT)).toMatch(
      new RegExp(`^${ORDER} failed\nFAILED: this machine does not allow.*\nWhat to do: put BECKET_ALLOW_UPGRADES=yes`),
    );
    expect(machine.has(WANTED)).toBe(false);
  });

  it("runs no script that installs something else than what was ordered", () => {
    const machine = createOrderedMachine(shell, { served: "// not what was ordered\n" });
    const { code, calls } = machine.upgrade();
    expect(code).toBe(1);
    expect(calls.filter((call) => !call.startsWith("curl"))).toEqual([]);
    expect(machine.read(RESULT)).toMatch(/failed\nFAILED: .* does not hand out the agent that was ordered/);
  });

  it("says why the new agent did not start, and that the former one is back", () => {
    const machine = createOrderedMachine(shell, { served: BROKEN, isInstalled: true });
    expect(machine.upgrade().code).toBe(1);
    expect(machine.read(BUNDLE)).toBe(FORMER);
    expect(machine.read(RESULT)).toMatch(
      /failed\nFAILED: the new agent did not start.*is back, and runs\.\nWhat to do: /,
    );
  });

  it("says so when the control plane does not answer", () => {
    const machine = createOrderedMachine(shell);
    machine.remove("served/install.sh");
    expect(machine.upgrade().code).toBe(1);
    expect(machine.read(RESULT)).toMatch(/failed\nFAILED: .*install\.sh could not be downloaded.*\nWhat to do: /);
  });

  it("says so when it is ended because it took too long", () => {
    const machine = createOrderedMachine(shell);
    machine.write("answers/ended", "");
    expect(machine.upgrade().code).toBe(143);
    expect(machine.read(RESULT)).toMatch(
      new RegExp(
        `^${ORDER} failed\nFAILED: .*took longer than 9 minutes.*\nWhat to do: .*journalctl -u becket-upgrade`,
      ),
    );
    machine.remove("answers/ended");
    // Nor does a run that nobody ordered touch what was told.
    machine.write(RESULT, "told\n");
    expect([machine.upgrade().code, machine.read(RESULT)]).toEqual([1, "told\n"]);
  });

  it("takes away what is no order, and does nothing", () => {
    const machine = createOrderedMachine(shell);
    const sha = "a".repeat(64);
    for (const text of ["", `${ORDER} ${"z".repeat(64)}`, `${ORDER} abc`, `../../etc/x ${sha}`, `$(reboot) ${sha}`]) {
      machine.write(WANTED, `${text}\n`);
      const { code, calls, stderr } = machine.upgrade();
      expect({ code, calls, stderr }).toEqual({
        code: 1,
        calls: [],
        stderr: expect.stringContaining("there is no order"),
      });
      expect([machine.has(WANTED), machine.has(RESULT)]).toEqual([false, false]);
    }
  });

  it("follows no link that is in the order's place, reads no pipe, and takes a folder away", () => {
    const machine = createOrderedMachine(shell);
    machine.remove(WANTED);
    machine.link(WANTED);
    expect(machine.upgrade()).toMatchObject({ code: 1, calls: [] });
    execFileSync(toPath("mkfifo"), [machine.path(WANTED)]);
    expect(machine.upgrade()).toMatchObject({ code: 1, calls: [] });
    machine.write(`${WANTED}/inside`, "x");
    expect(machine.upgrade()).toMatchObject({ code: 1, calls: [] });
    expect(machine.files().filter((file) => /upgrade.wanted|becket.order/.test(file))).toEqual([]);
    expect([machine.has(WANTED), machine.has("var/lib/becket.order")]).toEqual([false, false]);
  });

  it("goes on without the agent that called it where OpenRC runs it, and reads the machine's settings itself", async () => {
    const machine = createOrderedMachine(shell, { system: "alpine", isInstalled: true });
    machine.write("etc/default/becket", "BECKET_ALLOW_UPGRADES=yes\n");
    machine.write("var/log/becket-upgrade.log", "of the run before\n");
    machine.wrap("timeout", `echo "timeout $*" >>"$STUB_ROOT/calls"`);
    machine.wrap("rc-service", `echo "$* by $$ in group $(cut -d ' ' -f 5 /proc/$$/stat)" >>"$STUB_ROOT/calls"`);
    expect(machine.begin().code).toBe(0);
    await vi.waitFor(() => expect(machine.read(RESULT)).toBe(`${ORDER} ok\n`), { timeout: BUSY_MS / 2, interval: 100 });
    expect(machine.read("calls")).toContain("timeout 540 sh ");
    expect(machine.read("calls")).toMatch(/^--quiet becket restart by (\d+) in group \1$/m);
    expect(machine.read("var/log/becket-upgrade.log")).toContain("Done.");
    expect(machine.read("var/log/becket-upgrade.log.1")).toBe("of the run before\n");
    expect(machine.read(BUNDLE)).toBe(NEWER);
    expect(machine.read("usr/local/lib/becket/supervised")).toContain("BECKET_STARTS_UPGRADES=yes");
    machine.run({ args: ["--uninstall"] });
    expect(machine.files()).toEqual(["etc/apk/world", "etc/os-release"]);
  });
});

describe.each(SHELLS_HERE)("an upgrade that the agent began, under %s", { timeout: BUSY_MS }, (shell) => {
  const createBegun = () => {
    const machine = createOrderedMachine(shell, { system: "alpine", isInstalled: true });
    machine.write("etc/default/becket", "BECKET_ALLOW_UPGRADES=yes\n");
    machine.write("var/log/messages", "");
    return machine;
  };
  const until = (look: () => void) => vi.waitFor(look, { timeout: BUSY_MS / 2, interval: 50 });
  const TOOK_TOO_LONG = new RegExp(`^${ORDER} failed\nFAILED: .*longer than 9 minutes.*\n.*becket-upgrade\\.log`);
  const waitFor = (file: string) =>
    `while [ -d "$STUB_ROOT/usr" ] && [ ! -e "$STUB_ROOT/${file}" ]; do sleep 0.1; done`;

  it.each(
    [
      ["timeout", ""],
      ["busybox", "timeout"],
    ].filter(([program = ""]) => hasProgram(program)),
  )("is ended whole by %s %s, whatever it waits for", async (...words) => {
    const machine = createBegun();
    machine.wrap("timeout", `shift; exec ${toPath(words[0] ?? "")} ${words[1]} 3 "$@"`);
    machine.wrap("curl", `case "$*" in */install/becket-*) ${waitFor("nothing")} ;; esac`);
    expect(machine.begin().code).toBe(0);
    await until(() => expect(machine.read(RESULT)).toMatch(TOOK_TOO_LONG));
    await until(() => expect(listProcesses(machine.path(""))).toEqual([]));
    expect(machine.files().filter((file) => file.includes("join."))).toEqual([]);
  });

  it("ends, and with it its lock, while the service restarts, which goes on", async () => {
    const machine = createBegun();
    machine.wrap("timeout", `echo $$ >"$STUB_ROOT/begun"; shift; exec "$@"`);
    machine.wrap("rc-service", `case "$*" in *restart) echo restarting >"$STUB_ROOT/seen"; ${waitFor("go")} ;; esac`);
    expect(machine.begin().code).toBe(0);
    await until(() => expect(machine.read("seen")).toBe("restarting\n"));
    machine.remove("is-running");
    process.kill(Number(machine.read("begun")), "SIGTERM");
    await until(() => expect(machine.read(RESULT)).toMatch(TOOK_TOO_LONG));
    const folder = machine.path("usr/local/lib");
    await until(() => void execFileSync(toPath("flock"), ["-n", folder, "true"]));
    expect(machine.has("is-running")).toBe(false);
    machine.write("go", "");
    await until(() => expect(machine.has("is-running")).toBe(true));
    await until(() => expect(listProcesses(machine.path(""))).toEqual([]));
  });

  it("is carried out where there is no setsid and no timeout, too", async () => {
    const machine = createBegun();
    for (const program of ["setsid", "timeout"]) machine.remove(`tools/${program}`);
    expect(machine.begin().code).toBe(0);
    await until(() => expect(machine.read(RESULT)).toBe(`${ORDER} ok\n`));
    expect(machine.read("calls")).toMatch(/^rc-service --quiet becket restart$/m);
  });

  it("is told as one that ended well when it did so in the last moment", async () => {
    const machine = createBegun();
    machine.wrap("mv", `case "$*" in *upgrade.result) ! grep -q ' ok$' "$2" || kill -TERM $PPID ;; esac`);
    expect(machine.begin().code).toBe(0);
    await until(() => expect(machine.read(RESULT)).toBe(`${ORDER} ok\n`));
    await until(() => expect(listProcesses(machine.path(""))).toEqual([]));
    expect(machine.read(RESULT)).toBe(`${ORDER} ok\n`);
  });
});

/** Of a machine of stubs: their command lines. */
const listProcesses = (root: string): string[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const [environment = "", argv = ""] = ["environ", "cmdline"].map((file) =>
          readFileSync(`/proc/${pid}/${file}`, "utf8"),
        );
        return environment.includes(`STUB_ROOT=${root}\0`) ? [argv.replaceAll("\0", " ")] : [];
      } catch {
        // It ended, or is somebody else's.
        return [];
      }
    });
