// Pings from inside a node: a few and wait, or one after the other until stopped, with exact counts.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LabNode } from "../node.ts";
import { type PingResult, parsePing, parseReplies } from "./parse-ping.ts";

export interface PingOptions {
  /** Default 1. */
  readonly count?: number;
  readonly intervalMs?: number;
  /** How long to wait for the last answer; default 1,000. */
  readonly waitMs?: number;
  /** Only matters for names: an address tells its family. */
  readonly family?: 4 | 6;
  /** Payload bytes; `dontFragment` sets DF. */
  readonly sizeBytes?: number;
  readonly dontFragment?: boolean;
}

/** Resolves also when nothing was answered; unreachable networks and unknown names count as loss. */
export async function ping(node: LabNode, address: string, options: PingOptions = {}): Promise<PingResult> {
  const { count = 1, intervalMs = 200, waitMs = 1_000 } = options;
  const argv = [...renderPing(intervalMs, options), "-c", String(count), "-W", String(waitMs / 1_000), address];
  const timeoutMs = count * intervalMs + waitMs + 10_000;
  const { stdout, exitCode } = await node.exec(argv, { timeoutMs, allowFailure: true });
  // 2: ping could not even send (no route, no address of that family); there is no summary then.
  if (exitCode > 1 && !stdout.includes("packets transmitted"))
    return { sent: count, received: 0, lost: count, gaps: [count], gapsAfterMs: [null], timesMs: [] };
  return parsePing(stdout);
}

export interface RunningPing {
  /** Answers so far. */
  received(): number;
  /** Waits until the state of the path at this moment is known (an answer, or a second without), then counts. */
  stop(): Promise<PingResult>;
}

const SETTLE_MS = 1_000;

export async function startPing(
  node: LabNode,
  address: string,
  options: Omit<PingOptions, "count" | "waitMs"> = {},
): Promise<RunningPing> {
  const { intervalMs = 50 } = options;
  const child = await node.spawn([...renderPing(intervalMs, options), address]);
  // The log is shared with nobody, but earlier pings of this node have files of their own: read from the start.
  const readOutput = () => readFileSync(child.logFile, "utf8");
  const received = () => parseReplies(readOutput()).length;
  const stop = async () => {
    const before = received();
    const deadline = performance.now() + SETTLE_MS;
    while (child.isRunning() && received() === before && performance.now() < deadline) await delay(intervalMs / 2);
    await child.kill("SIGINT");
    // One packet may have left after the last look.
    return parsePing(readOutput(), { settle: Math.floor(SETTLE_MS / intervalMs) - 1 });
  };
  return { received, stop };
}

function renderPing(intervalMs: number, { family, sizeBytes, dontFragment }: PingOptions): string[] {
  return [
    "ping",
    "-nD",
    ...(family === undefined ? [] : [`-${family}`]),
    ...(sizeBytes === undefined ? [] : ["-s", String(sizeBytes)]),
    ...(dontFragment ? ["-M", "do"] : []),
    "-i",
    String(intervalMs / 1_000),
  ];
}
