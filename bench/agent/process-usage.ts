// What one process uses over a time in which nothing else is asked of it.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { round } from "../lib/measure.ts";
import { parseRssMb, parseStat, TICKS_PER_SECOND } from "../lib/parse-proc.ts";

export interface Usage {
  /** Of one core, together with the programs that it ran meanwhile. */
  readonly cpuPercent: number;
  /** The part of it that these programs took. */
  readonly childCpuPercent: number;
  /** VmRSS at the end. */
  readonly rssMb: number;
}

export async function measureUsage(pid: number, seconds: number): Promise<Usage> {
  const startedMs = performance.now();
  const before = await readTimes(pid);
  await delay(seconds * 1_000);
  const after = await readTimes(pid);
  const elapsed = (performance.now() - startedMs) / 1_000;
  const toPercent = (ticks: number) => round((ticks / TICKS_PER_SECOND / elapsed) * 100, 2);
  const child = after.childTicks - before.childTicks;
  return {
    cpuPercent: toPercent(after.ownTicks - before.ownTicks + child),
    childCpuPercent: toPercent(child),
    rssMb: round(parseRssMb(await readFile(`/proc/${pid}/status`, "utf8")), 1),
  };
}

const readTimes = async (pid: number) => parseStat(await readFile(`/proc/${pid}/stat`, "utf8"));
