// One node of a running lab, as tests and the demo use it: run programs in its namespaces, find its files.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { RouterNat } from "./plan/nat.ts";
import type { NodeRole } from "./plan/planned-node.ts";
import { MOUNT_POINTS } from "./record.ts";
import { type ExecOptions, type ExecResult, run } from "./system/exec.ts";
import { enterArgv } from "./system/holder.ts";
import { LAB_VARIABLE } from "./system/proc.ts";
import { type LabProcess, startProcess } from "./system/process.ts";

/** Where a node's private folders are on the host. */
export interface NodeFiles {
  readonly folder: string;
  readonly logs: string;
  /** Seen as /var/lib/becket inside. */
  readonly varLib: string;
  /** Seen as /run/becket inside. */
  readonly run: string;
  /** Seen as /run/wireguard inside. */
  readonly wireguard: string;
}

export interface SpawnOptions {
  /** Default: a file of its own in the node's `files.logs`. */
  readonly logFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory inside the node; default `/`. */
  readonly cwd?: string;
}

export interface LabNode {
  readonly name: string;
  readonly role: NodeRole;
  readonly lan: string | null;
  /** Its first address: private on a LAN, public elsewhere (a router's WAN side); null: none. Kept current by `changeAddress`. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  readonly files: NodeFiles;
  /** Runs a short program inside, working directory `/`. Rejects with CommandError unless it ends with 0. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a long-running program inside. It ends with the lab at the latest. */
  spawn(argv: readonly string[], options?: SpawnOptions): Promise<LabProcess>;
  /** For callers that start it themselves, from the host: the argv that runs `argv` inside. */
  argv(argv: readonly string[]): string[];
  /** Log files of what was spawned here, oldest first. */
  logFiles(): readonly string[];
}

/** One of those that the lab itself brings. */
export interface PublicNode extends LabNode {
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface NodeState {
  readonly labId: string;
  readonly name: string;
  readonly role: NodeRole;
  readonly lan: string | null;
  /** The pid of the holder of its namespaces. */
  readonly pid: number;
  readonly nat: RouterNat | null;
  readonly files: NodeFiles;
  ipv4: string | null;
  readonly ipv6: string | null;
}

/** `state` stays the caller's: what it changes there is seen here. */
export function createNode(state: NodeState): LabNode {
  const logs: string[] = [];
  const { name, role, lan, ipv6, files } = state;
  const enter = (argv: readonly string[]) => enterArgv(state.pid, argv);
  const mark = (env: Readonly<Record<string, string>> = {}) => ({ ...env, [LAB_VARIABLE]: state.labId });
  return {
    name,
    role,
    lan,
    get ipv4() {
      return state.ipv4;
    },
    ipv6,
    files,
    argv: enter,
    logFiles: () => logs,
    exec: (argv, options = {}) => run(enter(argv), { ...options, env: mark(options.env) }),
    spawn: (argv, { logFile, env, cwd } = {}) => {
      const file = logFile ?? path.join(files.logs, `${logs.length + 1}-${path.basename(argv[0] ?? "program")}.log`);
      if (!logs.includes(file)) logs.push(file);
      const inside = cwd === undefined ? argv : ["env", `--chdir=${cwd}`, ...argv];
      return startProcess({ argv: enter(inside), logFile: file, env: mark(env) });
    },
  };
}

export function nodeFiles(labFolder: string, name: string): NodeFiles {
  const folder = path.join(labFolder, name);
  const [varLib, run, wireguard] = MOUNT_POINTS.map((point) => path.join(folder, point.replaceAll("/", "-").slice(1)));
  return { folder, logs: path.join(folder, "logs"), varLib: varLib ?? "", run: run ?? "", wireguard: wireguard ?? "" };
}

export function makeNodeFolders(files: NodeFiles): void {
  for (const folder of [files.logs, files.varLib, files.run, files.wireguard])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
}
