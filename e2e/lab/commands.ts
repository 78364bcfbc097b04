// What the lab's commands do. Their output is for people, but for `status --json`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { createLab } from "./lab.ts";
import { parseTopology, type TopologyInput } from "./plan/topology.ts";
import { cleanLeftovers, type LabRecord, readLabs, removeLab } from "./record.ts";
import { requireRoot } from "./requirements.ts";
import { toolEnvironment } from "./system/exec.ts";
import { enterArgv } from "./system/holder.ts";
import { LAB_VARIABLE } from "./system/proc.ts";

export async function upCommand(file: string, { name }: { name?: string }): Promise<void> {
  const topology = readTopology(file);
  const lab = await createLab(name === undefined ? { topology } : { topology, name });
  lab.release();
  const called = name ?? lab.id;
  const [first, second = lab.control] = lab.machines;
  print([
    `lab ${called} is up: ${lab.machines.map((machine) => `${machine.name} ${machine.ipv4 ?? machine.ipv6}`).join(", ")}`,
    "",
    `  npm run lab -- exec --lab ${called} ${first?.name} -- ping -c 3 ${second.name}`,
    `  npm run lab -- exec --lab ${called} ${first?.name} -- bash`,
    "  npm run lab -- status",
    `  npm run lab -- down ${called}`,
  ]);
}

/** Ends with the program's own exit code. */
export async function execCommand(nodeName: string, command: string[], options: { lab?: string }): Promise<void> {
  requireRoot();
  const record = pickLab(readLabs(), options.lab);
  const node = record.nodes.find((candidate) => candidate.name === nodeName);
  if (!node)
    throw new Error(
      `there is no "${nodeName}" in this lab; there are ${record.nodes.map((one) => one.name).join(", ")}`,
    );
  const program = command[0] === "--" ? command.slice(1) : command;
  // npm runs scripts in the package's folder; the caller's own is where relative paths on the command line begin.
  const folder = process.env.INIT_CWD ?? process.cwd();
  const [file = "", ...args] = enterArgv(node.holder.pid, ["env", `--chdir=${folder}`, ...program]);
  const env = toolEnvironment({ [LAB_VARIABLE]: record.id });
  const child = spawn(file, args, { stdio: "inherit", env });
  process.on("SIGINT", () => {
    // A terminal's Ctrl-C reaches the program by itself; it decides whether to end.
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"];
  process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM");
}

export function statusCommand({ json }: { json?: boolean }): void {
  const labs = readLabs();
  if (json) {
    print([JSON.stringify(labs)]);
    return;
  }
  if (labs.length === 0) print(["no labs"]);
  for (const lab of labs) {
    const life = lab.owner === null ? "until taken down" : `as long as process ${lab.owner.pid}`;
    print([`${lab.name ?? lab.id} (id ${lab.id}, since ${lab.createdAt}, ${life})`]);
    for (const { name, role, lan, ipv4, ipv6 } of lab.nodes) {
      const place = role === "machine" ? (lan === null ? "public" : `on ${lan}`) : role;
      print([`  ${name.padEnd(16)}${place.padEnd(18)}${(ipv4 ?? "").padEnd(17)}${ipv6 ?? ""}`.trimEnd()]);
    }
  }
}

export async function downCommand(wanted: string | undefined, { all }: { all?: boolean }): Promise<void> {
  requireRoot();
  const cleaned = await cleanLeftovers();
  if (cleaned.length > 0) print([`cleaned what killed runs left: ${cleaned.join(", ")}`]);
  const labs = readLabs();
  const free = labs.filter((lab) => lab.owner === null);
  if (wanted === undefined && free.length === 0) {
    print(["no lab to take down"]);
    return;
  }
  const chosen = all ? free : [wanted === undefined ? pickLab(free, wanted) : pickLab(labs, wanted)];
  for (const lab of chosen) {
    await removeLab(lab.id);
    print([`lab ${lab.name ?? lab.id} is down`]);
  }
}

function pickLab(labs: readonly LabRecord[], wanted: string | undefined): LabRecord {
  if (wanted === undefined && labs.length > 1)
    throw new Error(`there are several labs, name one: ${labs.map((lab) => lab.name ?? lab.id).join(", ")}`);
  const found = wanted === undefined ? labs[0] : labs.find((lab) => lab.id === wanted || lab.name === wanted);
  if (!found)
    throw new Error(
      wanted === undefined ? "no lab is up: npm run lab -- up four-machines" : `there is no lab "${wanted}"`,
    );
  return found;
}

const EXAMPLES = path.join(import.meta.dirname, "topologies");

function listExamples(): string {
  return readdirSync(EXAMPLES)
    .map((name) => path.basename(name, ".json"))
    .join(", ");
}

function readTopology(file: string): TopologyInput {
  const example = path.join(EXAMPLES, `${file}.json`);
  const chosen = existsSync(file) || !existsSync(example) ? file : example;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(chosen, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `can't read ${file}: ${why}\nGive a topology's JSON file, or one of the examples: ${listExamples()}`,
      {
        cause: error,
      },
    );
  }
  const parsed = parseTopology(value);
  if (!parsed.ok) throw new Error(`${file}:\n  ${parsed.error.join("\n  ")}`);
  return parsed.value;
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}
