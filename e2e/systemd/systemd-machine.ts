// A lab machine whose programs are run by a systemd of its own, or by OpenRC, in a Debian of its own: systemd-nspawn in the machine's network.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { type ExecOptions, type ExecResult, run } from "../lab/system/exec.ts";
import type { LabProcess } from "../lab/system/process.ts";
import { ensureDebianTree, machinesFolder } from "./debian-tree.ts";

export interface SystemdMachine {
  /** Its files, on the host. */
  readonly folder: string;
  /** In it, as root, with no more environment than a login has. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A line for its shell. */
  sh(line: string, options?: ExecOptions): Promise<ExecResult>;
  /** Shuts it down and starts it anew: memory, processes, interfaces and packet rules are gone then. */
  reboot(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What runs the services of a machine. */
export interface ServiceManager {
  /** What its tree needs beyond what each has. */
  install?(folder: string): Promise<void>;
  /** Of systemd-nspawn. */
  readonly options: readonly string[];
  readonly program?: readonly string[];
  /** A line for a shell that prints `running` when it is up. */
  readonly isUp: string;
}

const SYSTEMD: ServiceManager = { options: ["--boot"], isUp: "systemctl is-system-running" };
const BOOT_LIMIT_MS = 60_000;
const ENVIRONMENT = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];

export interface SystemdMachineOptions {
  /** Folders of this host by where they are seen there, to be read. */
  readonly shared?: Readonly<Record<string, string>>;
  /** Default: systemd. OpenRC is not the machine's init here: services are started by name, and a reboot starts none. */
  readonly serviceManager?: ServiceManager;
}

export async function startSystemdMachine(
  node: LabNode,
  { shared = {}, serviceManager = SYSTEMD }: SystemdMachineOptions = {},
): Promise<SystemdMachine> {
  const binds = Object.entries(shared).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`);
  const tree = await ensureDebianTree();
  // Of runs that were killed.
  for (const name of readNames(machinesFolder)) {
    if (!isRunning(name)) rmSync(path.join(machinesFolder, name), { recursive: true, force: true });
  }
  const name = `${node.name}-${process.pid}`;
  const folder = path.join(machinesFolder, name);
  mkdirSync(machinesFolder, { recursive: true });
  await run(["cp", "--archive", "--reflink=auto", tree, folder]);
  writeFileSync(path.join(folder, "etc/hostname"), `${node.name}\n`);
  await serviceManager.install?.(folder);
  let running = await boot(node, folder, binds, serviceManager);

  const exec = (argv: readonly string[], options?: ExecOptions) =>
    run([...enter(running.pid), ...ENVIRONMENT, ...argv], options);
  async function shutDown(): Promise<void> {
    await exec(["systemctl", "poweroff"], { allowFailure: true });
    await running.stop({ graceMs: 20_000 });
    await node.exec(
      [
        "sh",
        "-c",
        "nft delete table inet becket; ip -o link | sed -n 's/^[0-9]*: \\(bkt-[^:@]*\\).*/\\1/p' | xargs -rn1 ip link delete",
      ],
      {
        allowFailure: true,
      },
    );
  }
  return {
    folder,
    exec,
    sh: (line, options) => exec(["sh", "-c", line], options),
    async reboot() {
      await shutDown();
      running = await boot(node, folder, binds, serviceManager);
    },
    async [Symbol.asyncDispose]() {
      // Its first process takes all others along; nspawn ends then, and an empty group can go.
      if (running.isRunning()) await run(["kill", "-KILL", readLeader(running.pid)], { allowFailure: true });
      await running.stop();
      const group = `/sys/fs/cgroup/becket-${name}`;
      await node.exec(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], { allowFailure: true });
      rmSync(folder, { recursive: true, force: true });
      rmSync(path.join(machinesFolder, `.#${name}.lck`), { force: true });
    },
  };
}

/** A cgroup hierarchy of version 2, which the host's may not be, with a group for this machine alone. */
const IN_A_GROUP = [
  '[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  'mkdir -p "/sys/fs/cgroup/becket-$1"',
  'echo $$ >"/sys/fs/cgroup/becket-$1/cgroup.procs"',
  "shift",
  'exec "$@"',
].join("\n");

async function boot(
  node: LabNode,
  folder: string,
  binds: readonly string[],
  { options, program = [], isUp }: ServiceManager,
): Promise<LabProcess> {
  const started = await node.spawn(
    [
      ...["sh", "-ec", IN_A_GROUP, "sh", path.basename(folder)],
      ...["systemd-nspawn", "--quiet", `--directory=${folder}`, ...options, `--machine=${node.name}`],
      ...["--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off", "--bind=/dev/net/tun"],
      ...binds,
      "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
      ...program,
    ],
    // The network is the machine's own, which nspawn does not know: its sysctls are the machine's to set.
    { env: { SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network" }, logFile: path.join(node.files.logs, "systemd.log") },
  );
  const look = async () => {
    if (!started.isRunning()) throw new Error(readFileSync(started.logFile, "utf8").slice(-2_000));
    const { stdout } = await run([...enter(started.pid), "sh", "-c", isUp], { allowFailure: true });
    return stdout.trim() === "running" ? true : Promise.reject(new Error(`it is ${stdout.trim()}`));
  };
  await eventually(look, { withinMs: BOOT_LIMIT_MS, everyMs: 200, describe: `${node.name} has booted` });
  return started;
}

/** Into all namespaces of what nspawn runs. */
const enter = (nspawnPid: number): string[] => [
  ...["nsenter", `--target=${readLeader(nspawnPid)}`, "--all", "--root", "--wd", "--"],
];

/** The process id of its systemd. */
const readLeader = (nspawnPid: number): string =>
  readFileSync(`/proc/${nspawnPid}/task/${nspawnPid}/children`, "utf8").trim().split(" ")[0] ?? "";

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nobody made one yet.
    return [];
  }
}

/** Whether the test that made this machine goes on. */
function isRunning(name: string): boolean {
  try {
    process.kill(Number(/-(\d+)(?:\.lck)?$/.exec(name)?.[1]), 0);
    return true;
  } catch {
    return false;
  }
}
