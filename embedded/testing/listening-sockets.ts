// Where a process and its children listen, as the kernel has it (proc(5): /proc/net/tcp, /proc/pid/fd).
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** `127.0.0.2:8787`, `[::]:8787`, sorted; in the process's own network namespace. */
export function listListeningSockets(pid: number): string[] {
  const inodes = new Set(listProcessTree(pid).flatMap(listSocketInodes));
  const tables = ["tcp", "tcp6"].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, "utf8").split("\n").slice(1),
  );
  return tables
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && inodes.has(inode ?? ""))
    .map(([, local = ""]) => renderSocket(local))
    .sort();
}

export const isOnLoopback = (socket: string): boolean => /^(127\.|\[::1\]:)/.test(socket);

const LISTEN = "0A";

const listProcessTree = (pid: number): number[] => [pid, ...listChildren(pid).flatMap(listProcessTree)];

const listChildren = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );

const listSocketInodes = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? [];
    } catch {
      return []; // closed since it was listed
    }
  });

/** The kernel prints the address as words in the machine's byte order, the port as it is read. */
function renderSocket(local: string): string {
  const [words = "", port = ""] = local.split(":");
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex").reverse()]);
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join(".")}:${number}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(bytes)
      .readUInt16BE(2 * index)
      .toString(16),
  );
  return `${new URL(`http://[${groups.join(":")}]`).hostname}:${number}`;
}
