// A network, mount and process namespace of its own, with its own /run: the real system for tests that need one. It ends, with every
// process in it, when it is closed or when the test process dies.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createExec, type Exec } from "../system/exec.ts";
import { createFiles, type Files } from "../system/files.ts";
import { createFollowProgram, type FollowProgram } from "../system/follow-program.ts";
import { type AskSocket, askSocket } from "../system/unix-socket.ts";

export interface Namespace {
  /** Runs programs inside. */
  readonly exec: Exec;
  readonly followProgram: FollowProgram;
  /** Joins it: put before the words of a command. */
  readonly enter: readonly [string, ...string[]];
  /** The files of the host, but with its own /var/run and /proc/sys/net. */
  readonly files: Files;
  /** To sockets in its own /var/run. */
  readonly askSocket: AskSocket;
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  close(): Promise<void>;
}

/** Null when this machine can run the real tests; else what it lacks. */
export function whyNoNamespaces(): string | null {
  if (process.getuid?.() !== 0) return "not root";
  for (const program of ["ip", "nft", "wg", "ping", "unshare", "nsenter"]) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `${program} is not installed`;
  }
  const made = spawnSync("unshare", ["-n", "-m", "-p", "-f", "--mount-proc", "true"]);
  return made.status === 0 ? null : "namespaces cannot be made";
}

export async function openNamespace(): Promise<Namespace> {
  // `cat` is the first process in there; it ends when its stdin, our pipe, does, and everything in there with it.
  const start = "mount -t tmpfs tmpfs /run && ip link set lo up && echo ready && exec cat";
  const child = spawn("unshare", ["-n", "-m", "-p", "-f", "--mount-proc", "sh", "-c", start], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const init = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
  const enter = ["nsenter", "-t", init, "-n", "-m", "-p", "--"] as const;
  const exec = createExec(process.env);
  const follow = createFollowProgram(process.env);
  const files = createFiles();
  const toHostPath = (file: string) => file.replace(/^\/var\/run/, `/proc/${init}/root/run`);
  return {
    enter,
    pid: Number(init),
    files: {
      ...files,
      list: (folder) => files.list(toHostPath(folder)),
      read: (file) => (file.startsWith("/proc/sys/net/") ? readInside(exec, enter, file) : files.read(file)),
    },
    // nsenter forks: what it runs has to end with it.
    followProgram: (argv, listener) => follow([...enter, "setpriv", "--pdeathsig", "KILL", ...argv], listener),
    askSocket: (file, question) => askSocket(toHostPath(file), question),
    exec: { run: (argv, options) => exec.run([...enter, ...argv], options) },
    close: () => end(child),
  };
}

/** /proc/sys/net is that of whoever reads it. */
const readInside = (exec: Exec, enter: Namespace["enter"], file: string): Promise<string | null> =>
  exec.run([...enter, "cat", file]).then(
    ({ stdout }) => stdout,
    () => null,
  );

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.stdin?.end();
  await ended;
}

/** Joins two namespaces by a cable, `eth0` at both ends, up, with these addresses. */
export async function connectNamespaces(a: Namespace, addressA: string, b: Namespace, addressB: string): Promise<void> {
  const ends = ["type", "veth", "peer", "name", "eth0", "netns", String(b.pid)] as const;
  await createExec(process.env).run(["ip", "link", "add", "dev", "eth0", "netns", String(a.pid), ...ends]);
  for (const [namespace, address] of [
    [a, addressA],
    [b, addressB],
  ] as const) {
    const stdin = `address add ${address} dev eth0\nlink set dev eth0 up\n`;
    await namespace.exec.run(["ip", "-batch", "-"], { stdin });
  }
}
