// Brings the system to what it should be, and keeps it there: observe → plan → execute, for each mesh by itself.
// Invariants:
// - Rounds never overlap. A round works on the newest desired state there is when it starts; a newer one stops it between two steps.
// - A round that was stopped is followed by one that is not: changes that come faster than rounds end don't keep the last steps from ever being done.
// - A mesh that fails keeps nothing from the others. Its failures stay in the state until they are mended, and it is tried again.
// - Nothing is done before the first `setDesired`, nor after `stop`.
import type { MeshId } from "#schema/ids";
import { DEFAULT_RUN_DIR } from "../config.ts";
import { createIp } from "../net/ip.ts";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import { createPacketFilter } from "../stun/packet-filter.ts";
import type { Clock } from "../system/clock.ts";
import type { Exec } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import { type Random, random as realRandom } from "../system/random.ts";
import { createWireGuard, type WireGuard } from "../wireguard/wireguard.ts";
import type { DesiredDevice } from "./desired-device.ts";
import { createLanMarks } from "./lan-marks.ts";
import { readObservedState } from "./observe.ts";
import type { ObservedState } from "./observed-state.ts";
import { isOurs } from "./ownership.ts";
import type { Desired } from "./plan.ts";
import type { ReconcilerState } from "./reconciler-state.ts";
import { createRound } from "./round.ts";

export interface Reconciler {
  /**
   * The interfaces that there should be; all other interfaces of ours go away. Not to be called before that is known.
   * @param options.keep meshes that this machine is in, whose desired state is not known (yet): their interfaces are left as they are
   */
  setDesired(devices: readonly DesiredDevice[], options?: { readonly keep?: readonly MeshId[] }): void;
  /** Somebody else seems to have changed the system: it is looked at now, and put right. */
  look(): void;
  /** Resolves when what was desired at the time of the call, or something newer, has been done or has failed once; or on `stop`. */
  whenSettled(): Promise<void>;
  state(): ReconcilerState;
  /** What the system is like; at most a second old, however many ask. */
  observe(): Promise<ObservedState>;
  /** Removes every interface of ours, and the packet rules of their ports. Rejects when one could not be removed. */
  removeEverything(): Promise<void>;
  /** Stops working; leaves the system as it is. Resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface ReconcilerPorts {
  readonly exec: Exec;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: Random;
  readonly runDir?: string;
  /** Absent: one by these ports. */
  readonly wireguard?: WireGuard;
  /** Called after every round that changed the state. */
  readonly onState?: (state: ReconcilerState) => void;
}

/** Without any other cause the system is looked at this often: somebody may have changed it, a dead endpoint may be due. */
const LOOK_INTERVAL_MS = 30_000;
/** Peers that come one after the other are nudged together, not each in a round of its own. */
const MIN_WAIT_MS = 50;
/** Full jitter: a random time up to the bound, which doubles with each round that failed. */
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 30_000;
const OBSERVATION_MAX_AGE_MS = 1_000;

export function createReconciler(ports: ReconcilerPorts): Reconciler {
  const { clock, log, random = realRandom, onState = () => undefined } = ports;
  const tools = {
    ip: createIp(ports.exec),
    guard: createForwardGuard(ports.exec),
    wireguard: ports.wireguard ?? createWireGuard(ports),
    files: ports.files,
    marks: createLanMarks(ports.files, ports.runDir ?? DEFAULT_RUN_DIR),
  };
  const round = createRound({ tools, clock, log });

  let desired: Desired | null = null;
  let state: ReconcilerState = { meshes: new Map() };
  let failedRounds = 0;
  let running: Promise<void> | null = null;
  let superseded = new AbortController();
  let isToEnd = false;
  /** Before the first round whoever chose a name and a port has just looked, and nobody waits for a second look at the same. */
  let hasRun = false;
  let isLookDue = false;
  let isStopped = false;
  let cancelTimer = () => {};
  /** The version of `desired`, and the newest one that a round has worked through. */
  let version = 0;
  let settledVersion = 0;
  let waiting: { readonly version: number; readonly resolve: () => void }[] = [];
  let observation: { readonly atMs: number; readonly value: Promise<ObservedState> } | null = null;

  function wake(): void {
    if (isStopped || desired === null || running !== null) return;
    cancelTimer();
    running = run(desired)
      .catch((error: unknown) => log.error("a round of the reconciler broke", { error }))
      .finally(() => {
        running = null;
        if (version > settledVersion || isLookDue) wake();
      });
  }

  async function run(current: Desired): Promise<void> {
    const startedVersion = version;
    isLookDue = false;
    superseded = new AbortController();
    const seen = hasRun ? null : seenLately();
    hasRun = true;
    const result = await round.run(current, state, { signal: superseded.signal, seen });
    isToEnd = !result.isComplete;
    const hasChanged = renderState(result.state) !== renderState(state);
    state = result.state;
    observation = null;
    const isFailed = [...state.meshes.values()].some(({ failures }) => failures.length > 0);
    failedRounds = isFailed ? failedRounds + 1 : 0;
    if (!isStopped) cancelTimer = clock.setTimer(toWaitMs(result.wakeAtMs), wake);
    // Whoever waits for a state waits for all of it, or for a newer one: the next round follows at once.
    if (result.isComplete || isStopped) settle(startedVersion);
    if (hasChanged) onState(state);
  }

  function seenLately(): Promise<ObservedState> | null {
    return observation !== null && clock.now() - observation.atMs < OBSERVATION_MAX_AGE_MS ? observation.value : null;
  }

  function toWaitMs(wakeAtMs: number | null): number {
    const backoffMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (failedRounds - 1));
    const untilWakeMs = wakeAtMs === null ? LOOK_INTERVAL_MS : wakeAtMs - clock.now();
    if (failedRounds === 0) return Math.max(MIN_WAIT_MS, Math.min(LOOK_INTERVAL_MS, untilWakeMs));
    // What is overdue after a round that failed is what failed: it waits for the retry.
    return Math.min(LOOK_INTERVAL_MS, random() * backoffMs, ...(untilWakeMs > 0 ? [untilWakeMs] : []));
  }

  function settle(upTo: number): void {
    settledVersion = upTo;
    const [done, left] = [waiting.filter((one) => one.version <= upTo), waiting.filter((one) => one.version > upTo)];
    waiting = left;
    for (const { resolve } of done) resolve();
  }

  function setDesired(devices: readonly DesiredDevice[], options: { readonly keep?: readonly MeshId[] } = {}): void {
    desired = { devices, keep: options.keep ?? [] };
    version++;
    failedRounds = 0;
    if (!isToEnd) superseded.abort();
    wake();
  }

  async function whenSettled(): Promise<void> {
    if (isStopped || settledVersion >= version) return;
    await new Promise<void>((resolve) => waiting.push({ version, resolve }));
  }

  return {
    setDesired,
    look() {
      isLookDue = true;
      wake();
    },
    whenSettled,
    state: () => state,
    observe() {
      const seen = seenLately();
      if (seen !== null) return seen;
      observation = { atMs: clock.now(), value: readObservedState(tools) };
      return observation.value;
    },
    async removeEverything() {
      setDesired([]);
      await whenSettled();
      await createPacketFilter(ports.exec).remove();
      const left = (await readObservedState(tools)).links.filter(isOurs);
      const marks = await tools.marks.read();
      if (marks.length > 0) throw new Error(`${marks.map(({ name }) => name).join(", ")} could not be set back`);
      if (left.length === 0) return;
      const failures = [...state.meshes.values()].flatMap(({ failures }) => failures.map(({ message }) => message));
      const why = failures.length === 0 ? "the log says why (BECKET_LOG_LEVEL=debug)" : failures.join("; ");
      throw new Error(`could not remove ${left.map(({ name }) => name).join(", ")}: ${why}`);
    },
    async stop() {
      isStopped = true;
      cancelTimer();
      superseded.abort();
      await running;
      settle(version);
    },
  };
}

/** Equal text, equal state; the time of the last success is not worth telling. */
function renderState({ meshes }: ReconcilerState): string {
  return JSON.stringify(
    [...meshes].map(([meshId, { failures, arePeersApplied, linkedAtMs, appliedAtMs }]) => [
      meshId,
      failures,
      arePeersApplied,
      linkedAtMs,
      appliedAtMs !== null,
    ]),
  );
}
