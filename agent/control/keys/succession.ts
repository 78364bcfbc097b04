// A control plane that was restored from a backup may know this machine by a former identity key. Then every request is refused for its signature, and
// what was signed at each replacement since shows that the present key took that one's place. That is done once for all that was refused, which is then
// sent once more; so links come back as if nothing had been.
import { err, ok, type Result } from "#schema/result";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { type IdentityKeyRequest, type IdentitySuccession, MAX_SUCCESSIONS } from "#schema/wire/identity-key";
import type { Clock } from "../../system/clock.ts";
import type { Logger } from "../../system/logger.ts";
import type { Random } from "../../system/random.ts";
import type { ApiFailure } from "../api-failure.ts";
import { type BackoffOptions, toBackoffMs } from "../backoff.ts";
import type { IdentityStore } from "../identity.ts";
import { isKeyUnknown, type MachineApi } from "../machine-api.ts";
import type { SigningKeys } from "./identity-rotation.ts";

export interface Succession {
  /** Requests as ever, and once more where the proof was needed and taken. */
  readonly api: MachineApi;
  stop(): void;
}

export interface SuccessionOptions {
  /** What requests are sent by. */
  readonly api: MachineApi;
  readonly signingKeys: SigningKeys;
  readonly store: Pick<IdentityStore, "readSuccessions">;
  /** After a proof that was not taken: it is as good the next time, so only another restore can change that. */
  readonly backoff: BackoffOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const TIMEOUT_MS = 15_000;
/** What is refused so soon after a proof was sent before it. */
const FRESH_MS = 30_000;
/** An isolate of the control plane that read the former key looks again after a second. */
const ISOLATE_MS = 1_500;

export function createSuccession(options: SuccessionOptions): Succession {
  const { api, signingKeys, store, clock, random, log } = options;
  const lifetime = new AbortController();
  let work: Promise<Result<null, ApiFailure> | null> | null = null;
  let provedAtMs = Number.NEGATIVE_INFINITY;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let failures = 0;

  /** Null: there is nothing to show, it was not taken, or that is a moment ago. An error: nobody answered, or later. */
  async function prove(): Promise<Result<null, ApiFailure> | null> {
    if (clock.now() - provedAtMs < FRESH_MS) return ok(null);
    if (clock.now() < pausedUntilMs) return null;
    work ??= show().finally(() => {
      work = null;
    });
    return work;
  }

  async function show(): Promise<Result<null, ApiFailure> | null> {
    const proof = toProof(
      await readKept(),
      signingKeys.list.map(({ publicKey }) => publicKey),
    );
    if (proof === null) return null;
    const replacements = proof.earlier.length + 1;
    const shown = await api.post(AGENT_PATHS.identityKey, proof, { timeoutMs: TIMEOUT_MS, signal: lifetime.signal });
    if (shown.ok) {
      [failures, provedAtMs] = [0, clock.now()];
      log.info("the control plane knew a former identity key, and knows this one again", { replacements });
      return ok(null);
    }
    if (mayPass(shown.error)) return err(shown.error);
    pausedUntilMs = clock.now() + toBackoffMs(++failures, random, options.backoff);
    log.warn("the control plane knows another identity key, and does not take this one for its successor", {
      ...{ replacements, reason: shown.error.message },
    });
    return null;
  }

  async function readKept(): Promise<readonly IdentitySuccession[]> {
    try {
      return await store.readSuccessions();
    } catch (error) {
      log.warn("what was signed when identity keys were replaced can't be read", { error });
      return [];
    }
  }

  async function attempt<T>(send: () => Promise<Result<T, ApiFailure>>, signal: AbortSignal) {
    const refused = await send();
    if (!isKeyUnknown(refused)) return refused;
    const proof = await untilAborted(prove(), signal);
    if (proof === null) return refused;
    if (!proof.ok) return proof;
    const again = await send();
    if (!isKeyUnknown(again)) return again;
    await clock.sleep(ISOLATE_MS, signal);
    return send();
  }

  return {
    api: {
      get: (path, query, limits) => attempt(() => api.get(path, query, limits), limits.signal),
      post: (path, body, limits) => attempt(() => api.post(path, body, limits), limits.signal),
      openSocket: (path, limits, headers) => attempt(() => api.openSocket(path, limits, headers), limits.signal),
    },
    stop: () => lifetime.abort(),
  };
}

/** What leads to one of the keys that requests are signed with, the newest; null: nothing does. */
export function toProof(kept: readonly IdentitySuccession[], keys: readonly string[]): IdentityKeyRequest | null {
  const at = kept.findLastIndex(({ identityKey }) => keys.includes(identityKey));
  const last = kept[at];
  if (last === undefined) return null;
  let first = at;
  while (at - first < MAX_SUCCESSIONS - 1 && kept[first - 1]?.identityKey === kept[first]?.formerKey) first--;
  const { identityKey, signature, formerSignature } = last;
  return { identityKey, signature, formerSignature, earlier: kept.slice(first, at) };
}

/** Nobody judged it. */
const mayPass = (failure: ApiFailure): boolean =>
  failure.code !== "refused" || failure.status >= 500 || failure.status === 429;

/** The work goes on for others that wait for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
