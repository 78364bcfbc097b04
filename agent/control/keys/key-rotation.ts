// Replaces this machine's WireGuard key in one mesh when it is time, and when nobody is cut off by it.
//
// A new key ends what WireGuard sends by the sessions that it has; what it receives by them goes on. Until a peer has been told the new key and has
// shaken hands, packets to it wait in WireGuard (128 of them). So a peer that could not be told, because it is not connected to the control
// plane, is waited for, unless a person said not to, or the key is days older than it may be.
import type { MachineId, MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import type { PresenceTold, ToMeshMessage } from "#schema/wire/messages";
import type { Clock } from "../../system/clock.ts";
import type { Logger } from "../../system/logger.ts";
import { type DueKey, type KeyFacts, toDueKey } from "./due-key.ts";

export interface KeyRotation {
  /** What decides may be another: the order, the mesh, its members, the connection. */
  look(): void;
  receive(message: PresenceTold): void;
  /** Why the key is not replaced though it is time. */
  failure(): StepFailure | null;
  stop(): void;
}

export interface KeyRotationOptions {
  readonly meshId: MeshId;
  readonly clock: Clock;
  /** The time at the control plane. */
  readonly serverNow: () => number;
  readonly log: Logger;
  /** Null: nothing is known of the mesh. */
  readonly facts: () => KeyFacts | null;
  readonly isConnected: () => boolean;
  readonly send: (message: ToMeshMessage) => void;
  /** Members with whom WireGuard has a session. */
  readonly listLiving: () => Promise<readonly LivingPeer[]>;
  /** Resolves when the file holds a new key, and WireGuard is about to have it. */
  readonly replace: () => Promise<void>;
  readonly onFailureChanged: () => void;
}

export interface LivingPeer {
  readonly machineId: MachineId;
  readonly name: string;
}

/** Timers are good for 24 days. */
const LONGEST_WAIT_MS = 3_600_000;
/** Also after an answer that did not come; then twice as long each time, unless something changes in the mesh. */
const ASK_AGAIN_MS = 15_000;
const MAX_ASK_AGAIN_MS = 600_000;
/** After a disk that failed. */
const TRY_AGAIN_MS = 15_000;
/** Between two new keys, whatever is asked: the clocks of the control plane's parts differ. */
const PAUSE_MS = 60_000;
const MAX_NAMED = 5;

export function createKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { meshId, clock, log } = options;
  let cancel = () => {};
  let failure: StepFailure | null = null;
  let isAsking = false;
  let timesAsked = 0;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let isReplacing = false;
  let isStopped = false;
  let replacedAtMs = Number.NEGATIVE_INFINITY;

  function setFailure(next: Pick<StepFailure, "code" | "message"> | null): void {
    if (next?.code === failure?.code && next?.message === failure?.message) return;
    const since =
      next?.code === failure?.code && failure !== null ? failure.since : new Date(clock.wall()).toISOString();
    failure = next === null ? null : { step: "key.replace", ...next, since };
    if (failure !== null)
      log.warn("the key is not replaced yet", { meshId, code: failure.code, reason: failure.message });
    options.onFailureChanged();
  }

  function findDue(): DueKey | null {
    const facts = options.facts();
    return facts === null ? null : toDueKey(facts);
  }
  const isTime = (due: DueKey | null): due is DueKey => due !== null && due.atMs <= options.serverNow();

  function lookIn(ms: number): void {
    cancel();
    cancel = clock.setTimer(ms, () => {
      isAsking = false;
      look();
    });
  }

  function look(): void {
    if (isStopped || isReplacing) return;
    const due = findDue();
    // Without a connection nobody would hear of the new key. It is looked at again with the next welcome.
    if (!isTime(due)) rest(due);
    else if (options.isConnected()) begin(due);
  }

  function begin(due: DueKey): void {
    const restMs = replacedAtMs + PAUSE_MS - clock.now();
    if (restMs > 0) lookIn(restMs);
    else if (due.waitsUntilMs !== null && due.waitsUntilMs <= options.serverNow()) void replace(due);
    else if (!isAsking) ask();
    // What changed may be that one who was absent is back.
    else if (timesAsked > 1) askBy(askedAtMs + ASK_AGAIN_MS);
  }

  function askBy(atMs: number): void {
    const restMs = atMs - clock.now();
    if (restMs > 0) lookIn(restMs);
    else ask();
  }

  function ask(): void {
    options.send({ type: "presence.request" });
    isAsking = true;
    askedAtMs = clock.now();
    lookIn(Math.min(ASK_AGAIN_MS * 2 ** timesAsked, MAX_ASK_AGAIN_MS));
    timesAsked += 1;
  }

  function rest(due: DueKey | null): void {
    isAsking = false;
    timesAsked = 0;
    setFailure(null);
    cancel();
    if (due !== null) lookIn(Math.min(due.atMs - options.serverNow(), LONGEST_WAIT_MS));
  }

  async function decide({ absentIds }: PresenceTold): Promise<void> {
    const absent = new Set(absentIds);
    const names = (await options.listLiving()).filter(({ machineId }) => absent.has(machineId)).map(({ name }) => name);
    const due = findDue();
    if (isStopped || isReplacing || !isTime(due)) return;
    if (names.length === 0) return replace(due);
    setFailure({ code: "waits_for_peers", message: renderWait(names, due) });
  }

  async function replace(due: DueKey): Promise<void> {
    isReplacing = true;
    log.info("replacing the key", { meshId, why: due.why, isForced: due.isForced });
    try {
      await options.replace();
      replacedAtMs = clock.now();
      setFailure(null);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unexpected";
      setFailure({ code, message: error instanceof Error ? error.message.slice(0, 1_000) : String(error) });
      if (!isStopped) lookIn(TRY_AGAIN_MS);
    } finally {
      isReplacing = false;
    }
  }

  return {
    look,
    receive(message) {
      if (!isAsking || isStopped) return;
      decide(message).catch((error: unknown) => log.warn("who would be cut off is not known", { meshId, error }));
    },
    failure: () => failure,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

function renderWait(names: readonly string[], { waitsUntilMs }: DueKey): string {
  const [verb, whom] = names.length === 1 ? ["isn't", "it"] : ["aren't", "they"];
  const named = names.slice(0, MAX_NAMED).join(", ");
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  const atMost = waitsUntilMs === null ? "" : `; it waits until ${new Date(waitsUntilMs).toISOString()} at most`;
  return `the new key waits for ${named}${more}, who ${verb} connected to the control plane: ${whom} would be cut off until then${atMost}`;
}
