// What this machine takes for things that have nothing to do with BIRD, to compare runs by.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { median, round } from "../lib/measure.ts";

const RUNS = 200;

/** Median time to start a program that ends at once, and to hear of its end. */
export async function measureFork(): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    await once(spawn("true", { stdio: "ignore" }), "exit");
    times.push(performance.now() - startedMs);
  }
  return round(median(times), 2);
}
