// One mesh from its start to its end: cold start, rest, one withdrawal.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { round } from "../lib/measure.ts";
import { type Birds, openBirds } from "./birds.ts";
import { untilAll } from "./converge.ts";
import { inPortions } from "./in-portions.ts";
import { countSessions, countSessionsOf, type Mesh } from "./mesh-of-birds.ts";

export interface Limits {
  /** From the start of the first BIRD until each has every prefix. */
  readonly convergeWithinMs: number;
  readonly idleSeconds: number;
}

export type MeshNumbers = Awaited<ReturnType<typeof measure>>;

/** More is not to be had of this machine: the message says why. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
}

/** A machine that swaps or kills programs measures nothing. */
const LEAST_FREE_MB = 1_024;
const WITHDRAW_WITHIN_MS = 30_000;
/** What the start leaves to do: second connections of pairs that called each other at once, timers that meet. */
const CALM_MS = 5_000;
const ASKED_AT_ONCE = 8;
/** No gateway: these come first. */
const toWithdrawing = ({ members }: Mesh): number => members;

export async function measureMesh(mesh: Mesh, limits: Limits): Promise<MeshNumbers> {
  const birds = await openBirds(mesh);
  try {
    return await measure(birds, mesh, limits);
  } finally {
    await birds.close();
  }
}

async function measure(birds: Birds, mesh: Mesh, { convergeWithinMs, idleSeconds }: Limits) {
  const { members } = mesh;
  const startedMs = performance.now();
  await birds.start();
  const convergedMs = await untilEach(birds, "has every route", convergeWithinMs, hasRoutes(birds, members - 1));
  const cpuSeconds = await birds.readProcessorTime();
  const convergeMs = round(convergedMs - startedMs, 0);
  tell(`  converged after ${convergeMs} ms and ${round(cpuSeconds, 1)} s of processor time`);

  const isWhole = async (member: number) =>
    (await birds.readEstablished(member)).length === countSessionsOf(mesh, member);
  await untilEach(birds, "has all its sessions", convergeWithinMs, isWhole);
  await delay(CALM_MS);
  const idle = await measureIdle(birds, idleSeconds);
  tell(`  at rest ${idle.cpuPercentIdle} % of a core`);

  const { rssMb, pssMb } = await birds.readMemory();
  return {
    members,
    sessions: countSessions(mesh),
    sessionsPerMember: countSessionsOf(mesh, members),
    rssMbTotal: round(rssMb, 1),
    pssMbTotal: round(pssMb, 1),
    convergeMs,
    cpuSeconds: round(cpuSeconds, 2),
    ...idle,
    ...(await measureWithdrawal(birds, mesh)),
  };
}

async function measureIdle(birds: Birds, seconds: number) {
  const startedAt = Date.now() / 1_000;
  const [startedMs, before] = [performance.now(), await birds.readProcessorTime()];
  await delay(seconds * 1_000);
  const used = (await birds.readProcessorTime()) - before;
  const elapsed = (performance.now() - startedMs) / 1_000;
  const sessions = await inPortions(ASKED_AT_ONCE, birds.members, birds.readEstablished);
  const restarted = sessions.flat().filter((cameUpAt) => cameUpAt > startedAt).length;
  return { cpuPercentIdle: round((used / elapsed) * 100, 1), restartedAtRest: restarted };
}

/** Until each was looked at and has it no more. How long a look at all takes is part of it, and measured right before. */
async function measureWithdrawal(birds: Birds, mesh: Mesh) {
  const by = toWithdrawing(mesh);
  const others = { ...birds, members: birds.members.filter((member) => member !== by) };
  const lookedMs = performance.now();
  const seenMs = await untilEach(others, "has it", WITHDRAW_WITHIN_MS, hasRoutes(birds, mesh.members - 1));
  const withdrawnMs = performance.now();
  await birds.withdraw(by);
  const gone = hasRoutes(birds, mesh.members - 2);
  const goneMs = await untilEach(others, "has it no more", WITHDRAW_WITHIN_MS, gone);
  return { withdrawMs: round(goneMs - withdrawnMs, 0), lookMs: round(seenMs - lookedMs, 0) };
}

/** So many of each family. */
const hasRoutes = (birds: Birds, count: number) => async (member: number) => {
  const { ipv4, ipv6 } = await birds.readKernelRoutes(member);
  return ipv4 === count && ipv6 === count;
};

async function untilEach(
  { members }: Birds,
  describe: string,
  withinMs: number,
  isThere: (member: number) => Promise<boolean>,
): Promise<number> {
  const deadline = performance.now() + withinMs;
  return await untilAll({
    members,
    isThere,
    pauseMs: withinMs === WITHDRAW_WITHIN_MS ? 5 : 250,
    now: () => performance.now(),
    sleep: (ms) => delay(ms),
    async throwIfOver(left) {
      const freeMb = await readFreeMb();
      if (freeMb < LEAST_FREE_MB) throw new LimitReached(`${round(freeMb, 0)} MiB of memory are left`);
      if (performance.now() >= deadline)
        throw new LimitReached(
          `after ${withinMs / 1_000} s not every BIRD ${describe}: at most ${left} of ${members.length} lack it`,
        );
    },
  });
}

async function readFreeMb(): Promise<number> {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1];
  return Number(kib ?? Number.NaN) / 1_024;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
