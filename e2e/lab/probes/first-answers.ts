// When addresses first answer a ping. One process asks all of them, again and again, also while there is no way to them yet: a process for each
// request took half of a small machine from what was to be measured.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../node.ts";

/** From one request to an address until the next. */
const INTERVAL_MS = 20;
/** Between requests to different addresses; root may go below 10. */
const APART_MS = 1;
/** An answer counts that comes within this time. */
const ANSWER_LIMIT_MS = 1_000;
const LOOK_EVERY_MS = 10;

export interface FirstAnswersOptions {
  readonly withinMs: number;
  readonly signal?: AbortSignal;
}

/** When each address answered first, milliseconds since the epoch. Rejects when one did not within the time. */
export async function awaitFirstAnswers(
  node: LabNode,
  addresses: readonly string[],
  { withinMs, signal }: FirstAnswersOptions,
): Promise<Map<string, number>> {
  if (addresses.length === 0) return new Map();
  const times = ["-i", String(APART_MS), "-p", String(INTERVAL_MS), "-t", String(ANSWER_LIMIT_MS)];
  const asking = await node.spawn(["fping", "--loop", "--timestamp", ...times, ...addresses]);
  const deadline = performance.now() + withinMs;
  try {
    for (;;) {
      const answers = parseFirstAnswers(readFileSync(asking.logFile, "utf8"));
      const silent = addresses.filter((address) => !answers.has(address));
      if (silent.length === 0) return answers;
      if (performance.now() > deadline || !asking.isRunning())
        throw new Error(`${node.name} got no answer from ${silent.join(", ")} within ${withinMs} ms`);
      await delay(LOOK_EVERY_MS, null, signal ? { signal } : {});
    }
  } finally {
    await asking.kill("SIGKILL");
  }
}

/** Of what fping prints with `--loop --timestamp`; the last line may be half written. */
export function parseFirstAnswers(output: string): Map<string, number> {
  const answers = new Map<string, number>();
  for (const [, seconds, address = ""] of output.matchAll(/^\[([\d.]+)\] (\S+)\s*: \[\d+\], \d+ bytes, .*\n/gm))
    if (!answers.has(address)) answers.set(address, Math.round(Number(seconds) * 1_000));
  return answers;
}
