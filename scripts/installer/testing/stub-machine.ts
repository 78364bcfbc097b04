// A machine for install.sh: a folder (BECKET_ROOT) and the stubs of installer/testing, which write down what they are told and do as much of it
// as the script looks at.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { toPath } from "./host-programs.ts";
import { packNode } from "./pack-node.ts";
import { renderServed, toSha256 } from "./render-served.ts";
import { listMadeFiles, wrapProgram } from "./stub-files.ts";
import { type Outcome, type RunOptions, SHELLS, type Shell, type StubSystem, SYSTEMS, TOOLS } from "./stub-systems.ts";

const stubs = path.resolve(import.meta.dirname, "../../../installer/testing");

export function createStubMachine(shell: Shell, system: keyof typeof SYSTEMS, changes: Partial<StubSystem> = {}) {
  const { prettyName, packager, services, answers }: StubSystem = { ...SYSTEMS[system], ...changes };
  const root = mkdtempSync(path.join(tmpdir(), "becket-installer-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const inside = (file: string) => path.join(root, file);
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(inside(file)), { recursive: true });
    writeFileSync(inside(file), text);
  };
  cpSync(stubs, root, { recursive: true });
  for (const file of [...packager.hides, ...services.hides]) rmSync(inside(`stubs/${file}`));
  mkdirSync(inside("tools"));
  for (const name of TOOLS) symlinkSync(toPath(name), inside(`tools/${name}`));
  symlinkSync(toPath(SHELLS[shell][0]), inside("tools/sh"));
  for (const [name, text] of Object.entries(answers)) write(`answers/${name}`, text);
  write("etc/os-release", `NAME="Some"\nPRETTY_NAME="${prettyName}"\n`);
  if (services.name === "systemd") mkdirSync(inside("run/systemd/system"), { recursive: true });
  let served = "";

  /** What the control plane has from then on. */
  function publish(agent: string): void {
    const { agentFile, script } = renderServed(agent);
    served = script;
    rmSync(inside("served"), { recursive: true, force: true });
    write(`served/install/${agentFile}`, agent);
    write("served/install.sh", served);
  }

  /** The build of Node.js that every mirror has from then on. */
  function publishNode(version: string, architecture: string): { readonly sha256: string } {
    const archive = packNode(inside("served"), { version, architecture, program: path.join(stubs, "node-stub.sh") });
    return { sha256: toSha256(readFileSync(archive)) };
  }

  function run({ args = [], env = {}, script = served }: RunOptions = {}): Outcome {
    write("calls", "");
    const [program, ...first] = SHELLS[shell];
    const { status, stdout, stderr } = spawnSync(toPath(program), [...first, "-s", "--", ...args], {
      input: script,
      encoding: "utf8",
      env: { PATH: `${inside("stubs")}:${inside("tools")}`, BECKET_ROOT: root, STUB_ROOT: root, ...env },
    });
    const lines = readFileSync(inside("calls"), "utf8").trimEnd().split("\n");
    return {
      code: status,
      stdout,
      stderr,
      calls: lines.filter((line) => line !== "").map((line) => line.replaceAll(root, "")),
    };
  }

  publish("// the agent\n");
  return {
    ...{ run, publish, publishNode, write, path: inside },
    /** As an enabled service is one: to nowhere. */
    link(file: string): void {
      mkdirSync(path.dirname(inside(file)), { recursive: true });
      symlinkSync("/nowhere", inside(file));
    },
    /** Has a program, a stub or the host's own, do something first. */
    wrap: (name: string, script: string) => wrapProgram(root, name, script),
    script: () => served,
    read: (file: string) => readFileSync(inside(file), "utf8"),
    has: (file: string) => existsSync(inside(file)),
    remove: (file: string) => rmSync(inside(file), { recursive: true }),
    files: () => listMadeFiles(root),
    modeOf: (file: string) => (statSync(inside(file)).mode & 0o777).toString(8),
  };
}
