// Who uses the processor inside a node of a lab: all processes of its network namespace, by program.
import { readdir, readFile, readlink } from "node:fs/promises";
import type { LabNode } from "../../e2e/lab/node.ts";
import { round } from "./measure.ts";
import { parseStat, TICKS_PER_SECOND } from "./parse-proc.ts";

export interface ProcessorTime {
  /** Cores by program since the start, such as `{ node: 0.8, "wireguard-go": 0.4 }`. Programs that ended meanwhile are missing. */
  stop(): Promise<Record<string, number>>;
}

export async function startProcessorTime(node: LabNode): Promise<ProcessorTime> {
  const namespace = (await node.exec(["readlink", "/proc/self/ns/net"])).stdout.trim();
  const before = await readTicks(namespace);
  const startedMs = performance.now();
  return {
    async stop() {
      const seconds = (performance.now() - startedMs) / 1_000;
      const cores: Record<string, number> = {};
      for (const [pid, { name, ownTicks }] of await readTicks(namespace)) {
        const used = (ownTicks - (before.get(pid)?.ownTicks ?? 0)) / TICKS_PER_SECOND / seconds;
        cores[name] = round((cores[name] ?? 0) + used, 2);
      }
      return Object.fromEntries(Object.entries(cores).filter(([, used]) => used > 0));
    },
  };
}

async function readTicks(namespace: string): Promise<Map<string, { name: string; ownTicks: number }>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        if ((await readlink(`/proc/${pid}/ns/net`)) !== namespace) return [];
        const { name, ownTicks } = parseStat(await readFile(`/proc/${pid}/stat`, "utf8"));
        // Newer versions of Node name their first thread so.
        return [[pid, { name: name === "MainThread" ? "node" : name, ownTicks }] as const];
      } catch {
        return []; // it ended while we looked
      }
    }),
  );
  return new Map(found.flat());
}
