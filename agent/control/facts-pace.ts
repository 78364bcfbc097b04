// How often this machine tells what others need to know of it. Every member of the mesh hears each change, and what peers claim to have seen
// (`peer_observed`, `mesh_observed`) is theirs to change: so news of that alone is told at a bounded rate, and everything else at once. Pure:
// time comes in.
import type { Candidate, DeviceEpoch } from "#schema/desired-state";
import type { WireGuardPublicKey } from "#schema/ids";
import type { NatSummary } from "#schema/nat";

/** What the others need to know of this machine. */
export interface MemberFacts {
  readonly publicKey: WireGuardPublicKey;
  readonly candidates: readonly Candidate[];
  readonly deviceEpoch?: DeviceEpoch;
  readonly nat?: NatSummary;
  readonly answersChecks?: boolean;
}

export interface FactsPace {
  /** When `next` may be told after `told`; null: nothing was told on this connection. */
  readyAtMs(told: MemberFacts | null, next: MemberFacts): number;
  noteTold(told: MemberFacts | null, next: MemberFacts, nowMs: number): void;
  /** The object took no more. */
  noteRefused(nowMs: number): void;
}

/** A STUN server says where this machine is: what peers see besides can wait. */
const WITH_STUN = { everyMs: 60_000, burst: 1 };
/** What peers see may be the only way in. */
const WITHOUT_STUN = { everyMs: 10_000, burst: 6 };
const AFTER_REFUSAL_MS = 10_000;

export function createFactsPace(): FactsPace {
  /** When all of the burst is there again (GCRA, ITU-T I.371). */
  let restedAtMs = Number.NEGATIVE_INFINITY;
  let refusedUntilMs = Number.NEGATIVE_INFINITY;

  const limitOf = ({ candidates }: MemberFacts) =>
    candidates.some(({ type }) => type === "stun") ? WITH_STUN : WITHOUT_STUN;

  return {
    readyAtMs(told, next) {
      if (told === null || !isOnlyObserved(told, next)) return refusedUntilMs;
      const { everyMs, burst } = limitOf(next);
      return Math.max(refusedUntilMs, restedAtMs - (burst - 1) * everyMs);
    },
    noteTold(told, next, nowMs) {
      if (told === null || !isOnlyObserved(told, next)) return;
      restedAtMs = Math.max(restedAtMs, nowMs) + limitOf(next).everyMs;
    },
    noteRefused(nowMs) {
      refusedUntilMs = nowMs + AFTER_REFUSAL_MS;
    },
  };
}

export const isSameFacts = (one: MemberFacts, other: MemberFacts): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const isOnlyObserved = (told: MemberFacts, next: MemberFacts): boolean =>
  isSameFacts(withoutObserved(told), withoutObserved(next));

const withoutObserved = (facts: MemberFacts): MemberFacts => ({
  ...facts,
  candidates: facts.candidates.filter(({ type }) => type !== "peer_observed" && type !== "mesh_observed"),
});
