// Replaces this machine's identity key. The new one is on disk before anybody hears of it, and the former one until the control plane has answered; so
// whatever ends in between, one of the two is known to it, and the next start goes on from there. Sockets that are open stay.
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { IDENTITY_OVERLAP_MS, type IdentitySuccession, toIdentityKeyText } from "#schema/wire/identity-key";
import type { Clock } from "../../system/clock.ts";
import type { Ed25519Key } from "../../system/ed25519.ts";
import type { Logger } from "../../system/logger.ts";
import type { Random } from "../../system/random.ts";
import type { ApiFailure } from "../api-failure.ts";
import { toBackoffMs } from "../backoff.ts";
import type { IdentityStore } from "../identity.ts";
import type { MachineApi } from "../machine-api.ts";

/** What requests are signed with: the first, and where the control plane does not know that, the next. */
export interface SigningKeys {
  list: readonly Ed25519Key[];
}

export interface IdentityRotation {
  /** Goes on with what was begun before this start. */
  start(): void;
  /** The control plane's word: the public key that is to be replaced; null: none. */
  setDue(publicKey: IdentityPublicKey | null): void;
  /** Why the key is not replaced, though it is due. */
  failure(): StepFailure | null;
  stop(): void;
  /** Resolves when nothing is being written. */
  whenIdle(): Promise<void>;
}

export interface IdentityRotationOptions {
  readonly machineId: MachineId;
  readonly key: Ed25519Key;
  /** Of a replacement that was begun before; null: there was none. */
  readonly nextKey: Ed25519Key | null;
  readonly signingKeys: SigningKeys;
  readonly store: Pick<IdentityStore, "makeNext" | "adoptNext" | "dropNext">;
  readonly api: Pick<MachineApi, "post">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onFailureChanged: () => void;
}

const BACKOFF = { firstMs: 1_000, capMs: 60_000 };
const TIMEOUT_MS = 15_000;

export function createIdentityRotation(options: IdentityRotationOptions): IdentityRotation {
  const { machineId, signingKeys, store, api, clock, random, log } = options;
  const lifetime = new AbortController();
  let current = options.key;
  let next = options.nextKey;
  /** The control plane answered that it knows the next one. */
  let isKnown = false;
  let due: IdentityPublicKey | null = null;
  let attempts = 0;
  let failure: StepFailure | null = null;
  let work: Promise<void> | null = null;
  let cancelRetry: (() => void) | null = null;
  let cancelOverlap = () => {};
  signingKeys.list = next === null ? [current] : [current, next];

  function look(): void {
    const isDue = next !== null || due === current.publicKey;
    if (!isDue || work !== null || cancelRetry !== null || lifetime.signal.aborted) return;
    work = replace()
      .catch((error: unknown) => fail(toStepFailure(error)))
      .finally(() => {
        work = null;
        // What became due meanwhile.
        look();
      });
  }

  async function replace(): Promise<void> {
    attempts += 1;
    next ??= await store.makeNext();
    if (lifetime.signal.aborted) return;
    if (!isKnown) {
      signingKeys.list = [current, next];
      const told = await api.post(
        AGENT_PATHS.identityKey,
        { ...toSuccession(next), earlier: [] },
        {
          timeoutMs: TIMEOUT_MS,
          signal: lifetime.signal,
        },
      );
      if (lifetime.signal.aborted) return;
      if (!told.ok) return refuse(told.error);
      isKnown = true;
      // Isolates of the control plane may know the former one only, for a moment.
      signingKeys.list = [next, current];
    }
    await store.adoptNext(toSuccession(next));
    finish(next);
  }

  function finish(adopted: Ed25519Key): void {
    current = adopted;
    next = null;
    isKnown = false;
    attempts = 0;
    setFailure(null);
    cancelOverlap();
    cancelOverlap = clock.setTimer(IDENTITY_OVERLAP_MS, () => {
      signingKeys.list = next === null ? [current] : [current, next];
    });
    log.info("the identity key was replaced");
  }

  /** The same each time: Ed25519 signs without chance (RFC 8032). */
  function toSuccession({ publicKey: identityKey, sign }: Ed25519Key): IdentitySuccession {
    const formerKey = current.publicKey;
    const text = toIdentityKeyText({ machineId, formerKey, identityKey });
    return { formerKey, identityKey, signature: sign(text), formerSignature: current.sign(text) };
  }

  async function refuse(refusal: ApiFailure): Promise<void> {
    // The state of another machine was copied here, or ours there: this key can't become ours.
    if (refusal.code === "refused" && refusal.problem === "key_taken") {
      await store.dropNext();
      next = null;
      signingKeys.list = [current];
    }
    const code = refusal.code === "refused" ? refusal.problem : refusal.code;
    fail({ code, message: refusal.message }, refusal.code === "network" ? null : refusal.retryAfterMs);
  }

  function fail(why: Pick<StepFailure, "code" | "message">, retryAfterMs: number | null = null): void {
    if (lifetime.signal.aborted) return;
    // That nothing answers is said by the state of the connection; that it is too soon after the last time is nobody's fault.
    if (why.code !== "network" && why.code !== "rate_limited") setFailure(why);
    cancelRetry = clock.setTimer(toBackoffMs(attempts, random, BACKOFF, retryAfterMs), () => {
      cancelRetry = null;
      look();
    });
  }

  function setFailure(why: Pick<StepFailure, "code" | "message"> | null): void {
    if (why?.code === failure?.code && why?.message === failure?.message) return;
    const since =
      why?.code === failure?.code && failure !== null ? failure.since : new Date(clock.wall()).toISOString();
    failure = why === null ? null : { step: "identity.replace", ...why, since };
    if (why !== null) log.warn("the identity key is not replaced yet", { code: why.code, reason: why.message });
    options.onFailureChanged();
  }

  return {
    start: look,
    setDue(publicKey) {
      due = publicKey;
      look();
    },
    failure: () => failure,
    stop() {
      lifetime.abort();
      cancelRetry?.();
      cancelOverlap();
    },
    async whenIdle() {
      while (work !== null) await work;
    },
  };
}

function toStepFailure(error: unknown): Pick<StepFailure, "code" | "message"> {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unexpected";
  return { code, message: (error instanceof Error ? error.message : String(error)).slice(0, 1_000) };
}
