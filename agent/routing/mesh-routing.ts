// Keeps the BIRD of one mesh at what the mesh says.
// Invariants:
// - One thing is done at a time, and what is done next is for the newest state there is.
// - What fails is tried again, and told until it is mended. A BIRD that ended is started again at once; one that ends at once, in a while.
// - Whoever stops this leaves BIRD as it is. `leave` ends it.
import type { StepFailure } from "#schema/machine";
import type { Bird } from "../bird/bird.ts";
import type { BirdConfig } from "../bird/bird-config.ts";
import { renderConfig } from "../bird/render-config.ts";
import { toBackoffMs } from "../control/backoff.ts";
import { type Failure, keepSince } from "../reconcile/failures.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import { toDeath, toRefusal, toRoutingFailure } from "./failures.ts";
import { advisePhase, hasAllCopies, type ReflectorPhase } from "./reflector-switch.ts";
import { type BirdInputs, toBirdConfig } from "./to-bird-config.ts";
import { createWatchedSessions } from "./watched-sessions.ts";

export interface MeshRouting {
  set(inputs: MeshInputs): void;
  /** Looks whether BIRD is as it should be: the interface that it has sessions on was made anew. */
  look(): void;
  failure(): StepFailure | null;
  /** Resolves when all is done that is to be done now. */
  whenIdle(): Promise<void>;
  /** BIRD goes on. Resolves when nothing is done any more. */
  stop(): Promise<void>;
  /** Ends BIRD, too. Rejects when that fails. */
  leave(): Promise<void>;
}

export type MeshInputs = Omit<BirdInputs, "phase" | "wasWatched" | "logFile">;

export interface MeshRoutingPorts {
  readonly bird: Bird;
  readonly logFile: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The failure is another, or none. */
  readonly onFailure: () => void;
}

const BACKOFF = { firstMs: 1_000, capMs: 60_000, floorMs: 200 };
/** A BIRD that lived this long did not end because of how it was started. */
const HEALTHY_MS = 30_000;
const LISTEN_RETRY_MS = 2_000;

export function createMeshRouting(ports: MeshRoutingPorts): MeshRouting {
  const { bird, logFile, clock, random, log } = ports;
  const watched = createWatchedSessions(clock);
  let inputs: MeshInputs | null = null;
  /** Counts what there was to do, and what has been done. */
  let version = 0;
  let doneVersion = 0;
  let running: Promise<void> | null = null;
  let isStopped = false;
  let cancelTimer = () => {};
  /** What BIRD has; null: to be looked at. */
  let applied: string | null = null;
  let isLookDue = false;
  let isClear = false;
  /** Null: what an agent before this one had BIRD do is not known. */
  let reflector: { readonly phase: ReflectorPhase; readonly sinceMs: number } | null = null;
  let endWatch: (() => void) | null = null;
  let startedAtMs = 0;
  let deaths = 0;
  let failedInRow = 0;
  let failure: StepFailure | null = null;

  function wake(): void {
    cancelTimer();
    version++;
    begin();
  }

  function begin(): void {
    if (running !== null || isStopped || inputs === null || doneVersion === version) return;
    running = run(inputs)
      .catch((error: unknown) => log.error("the routing of the mesh broke", { error }))
      .finally(() => {
        running = null;
        begin();
      });
  }

  async function run(current: MeshInputs): Promise<void> {
    doneVersion = version;
    const { waitMs, problem } = await work(current).catch((error: unknown) => ({
      waitMs: null,
      problem: toRoutingFailure(error),
    }));
    failedInRow = problem === null ? 0 : failedInRow + 1;
    later(problem === null ? waitMs : toBackoffMs(failedInRow, random, BACKOFF));
    setFailure(problem);
  }

  function later(waitMs: number | null): void {
    cancelTimer();
    if (waitMs !== null && !isStopped) cancelTimer = clock.setTimer(waitMs, wake);
  }

  async function work(current: MeshInputs): Promise<Outcome> {
    if (isLookDue) applied = null;
    isLookDue = false;
    const { config, phase, waitMs } = await decide(current);
    if (config === null) {
      await clear();
      reflector = null;
      return { waitMs: null, problem: null };
    }
    const text = renderConfig(config);
    if (text !== applied) {
      isClear = false;
      applied = null;
      const result = await bird.apply(text);
      const isRunning = await keepWatch();
      if (!result.ok) return { waitMs, problem: toRefusal(result.error) };
      if (!isRunning) throw new Error("BIRD ended as soon as it was started");
      if (result.value !== "unchanged") log.info("routing", { bird: result.value });
      watched.note(config);
      if (reflector?.phase !== phase) reflector = { phase, sinceMs: clock.now() };
      // What could not bind to the mesh's address, which may have come a moment later, is told to try again.
      const isListening = (await bird.readProtocols())?.every(({ session }) => session?.state !== "Down") ?? false;
      if (!isListening) return { waitMs: LISTEN_RETRY_MS, problem: null };
      applied = text;
    }
    const waits = [waitMs, watched.waitMs()].filter((ms) => ms !== null);
    return { waitMs: waits.length === 0 ? null : Math.min(...waits), problem: null };
  }

  /** With sessions between members, or without: they come and go in steps. */
  async function decide(current: MeshInputs): Promise<Decision> {
    const toConfig = (phase: ReflectorPhase) =>
      toBirdConfig({ ...current, logFile, phase, wasWatched: watched.wasWatched });
    const full = toConfig("direct");
    const { members, mesh } = current.mesh.desired;
    const isWanted = mesh.routeReflectorMode && members.some(({ isGateway }) => isGateway);
    const isAsked = full !== null && (isWanted || (reflector !== null && reflector.phase !== "direct"));
    if (!isAsked) return { config: full, phase: "direct", waitMs: null };
    const protocols = await bird.readProtocols();
    const times = { nowMs: clock.now(), wallMs: clock.wall() };
    const advice = advisePhase({ isWanted, config: full, protocols, before: reflector, ...times });
    const { waitMs } = advice;
    if (advice.phase !== "reflected_with_all_copies")
      return { config: toConfig(advice.phase), phase: advice.phase, waitMs };
    return hasAllCopies(full, (await bird.readRoutes()) ?? [])
      ? { config: toConfig("reflected"), phase: "reflected", waitMs: null }
      : { config: toConfig("both"), phase: "both", waitMs };
  }

  async function clear(): Promise<void> {
    if (isClear) return;
    unwatch();
    applied = null;
    await bird.stop();
    isClear = true;
  }

  /** False: none is running. */
  async function keepWatch(): Promise<boolean> {
    if (endWatch !== null) return true;
    endWatch = await bird.watch(onGone);
    startedAtMs = clock.now();
    return endWatch !== null;
  }

  function onGone(): void {
    endWatch = null;
    applied = null;
    if (isStopped) return;
    const livedMs = clock.now() - startedAtMs;
    deaths = livedMs < HEALTHY_MS ? deaths + 1 : 1;
    log.warn("BIRD ended by itself", { livedMs });
    if (deaths === 1) {
      wake();
      return;
    }
    setFailure(toDeath(livedMs));
    later(toBackoffMs(deaths, random, BACKOFF));
  }

  function unwatch(): void {
    endWatch?.();
    endWatch = null;
  }

  function setFailure(next: Failure | null): void {
    const before = failure;
    failure = next === null ? null : (keepSince([next], before === null ? [] : [before], clock.wall())[0] ?? null);
    if (failure?.code === before?.code && failure?.message === before?.message) return;
    if (failure !== null) log.error("the mesh is not routed as it should be", { ...failure });
    ports.onFailure();
  }

  async function whenIdle(): Promise<void> {
    while (running !== null) await running;
  }

  async function stop(): Promise<void> {
    isStopped = true;
    cancelTimer();
    unwatch();
    await whenIdle();
    // What ran may have begun another watch.
    unwatch();
  }

  return {
    set(next) {
      inputs = next;
      wake();
    },
    look() {
      isLookDue = true;
      wake();
    },
    failure: () => failure,
    whenIdle,
    stop,
    async leave() {
      await stop();
      await bird.stop();
    },
  };
}

interface Decision {
  readonly config: BirdConfig | null;
  readonly phase: ReflectorPhase;
  readonly waitMs: number | null;
}

interface Outcome {
  readonly waitMs: number | null;
  readonly problem: Failure | null;
}
