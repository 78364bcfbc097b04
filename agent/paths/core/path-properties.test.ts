// Any sequence of things that go wrong, and what must hold all the same. A failure prints the seed and the shortest sequence that shows it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseEndpoint, renderEndpoint } from "#schema/address";
import { CandidateOutcome, PathReason, PeerConnectivity } from "#schema/path";
import { toCandidateOutcomes, toConnectivity, toNextTryAt, toPathReason } from "./explain-path.ts";
import type { PathState } from "./path-state.ts";
import { createDisturbed, createRandom, type Disturbed, disturbances, gateName } from "./testing/disturbances.ts";
import { canBeDirect, createSimulatedPair, type GateName, type SimulatedPair } from "./testing/simulated-pair.ts";

/** Of a silent death: the longest time to notice it and to be on the relay. A relay that comes back is asked for every 5 s. */
const LONGEST_GAP_MS = 6_500;
/** Where WireGuard's session has ended, a handshake that was lost is repeated after 5 s; nobody can make that shorter. */
const HANDSHAKE_MS = 5_000;
/** A session ends 180 s after it began, and was renewed 120 s after that when there was an answer then. */
const SESSION_MS = 60_000;
/** Found again: a round is never further away than 57 s, and takes up to 3 s. */
const HEALED_WITHIN_MS = 65_000;
/** The same where ports have to be guessed, which is done every ten minutes. */
const GUESSED_WITHIN_MS = 600_000 + HEALED_WITHIN_MS;
const PING_MS = 200;

const scenario = fc.record({
  gates: fc.tuple(gateName, gateName),
  isEager: fc.boolean(),
  seed: fc.nat(),
  sequence: disturbances,
});

test("a pair with traffic has a path, does not flap, and becomes direct wherever it can", () => {
  const outcomes: number[] = [];
  fc.assert(
    fc.property(scenario, ({ gates, isEager, seed, sequence }) => {
      const pair = createSimulatedPair({
        gates,
        isEager,
        random: createRandom(seed),
        inspect: (_index, state) => explain(pair, state),
      });
      const disturbed = createDisturbed(pair, gates);
      const startMs = pair.clock.now();
      pair.clock.runUntil(startMs + 300);
      pair.ping(PING_MS);
      const gaps = watchGaps(pair, disturbed);
      pair.clock.runUntil(startMs + 3_000);
      for (const [disturbance, pauseMs] of sequence) {
        disturbed.apply(disturbance);
        gaps.disturb();
        pair.clock.runUntil(pair.clock.now() + pauseMs);
      }
      disturbed.calm();
      gaps.disturb();
      expectToSettle(pair, disturbed.gates());
      outcomes.push(gaps.longestMs());
      expect(gaps.longestMs()).toBeLessThanOrEqual(LONGEST_GAP_MS);
    }),
    { numRuns: 150 },
  );
  expect(outcomes).toHaveLength(150);
}, 120_000);

/** After every step: the machine can say why it does what it does. */
function explain(pair: SimulatedPair | undefined, state: PathState): void {
  const nowMs = pair?.clock.now() ?? state.steppedAtMs;
  expect(toPathReason(state, nowMs).message).not.toMatch(/undefined|null|NaN/);
  if (nowMs % 7 > 1) return;
  PathReason.parse(toPathReason(state, nowMs));
  PeerConnectivity.parse(toConnectivity(state, nowMs));
  for (const outcome of toCandidateOutcomes(state, nowMs, (atMs) => atMs)) CandidateOutcome.parse(outcome);
  expect(Number.isNaN(Date.parse(toNextTryAt(state, nowMs, (atMs) => atMs) ?? "2026-01-01"))).toBe(false);
}

/** The longest time without an answer to a ping, from the newest disturbance on, while a relay can be had. */
function watchGaps(pair: SimulatedPair, disturbed: Disturbed) {
  const { clock, pongs } = pair;
  let promisedSinceMs = clock.now();
  let longestMs = 0;
  const look = () => {
    clock.after(PING_MS, look);
    const nowMs = clock.now();
    if (!disturbed.isRelayable()) promisedSinceMs = nowMs;
    const lastMs = pongs.at(-1) ?? Number.NEGATIVE_INFINITY;
    const allowedMs = nowMs - lastMs > SESSION_MS ? HANDSHAKE_MS : 0;
    longestMs = Math.max(longestMs, nowMs - Math.max(lastMs, promisedSinceMs) - allowedMs);
  };
  look();
  return {
    disturb() {
      promisedSinceMs = clock.now();
    },
    longestMs: () => longestMs,
  };
}

function expectToSettle(pair: SimulatedPair, gates: readonly [GateName, GateName]): void {
  const calmMs = pair.clock.now();
  const needsGuesses = gates.includes("hard") && gates.some((gate) => gate === "easy" || gate === "firewall");
  pair.clock.runUntil(calmMs + (needsGuesses ? GUESSED_WITHIN_MS : HEALED_WITHIN_MS));
  const settled = pair.machines.map((machine) => machine.state());
  const expected = canBeDirect(...gates) ? "direct" : "relayed";
  expect(settled.map(({ path }) => path.kind)).toEqual([expected, expected]);
  const changes = pair.machines.map(({ log }) =>
    log.filter(({ atMs, action }) => atMs > calmMs && action.type === "report"),
  );
  expect(Math.max(...changes.map(({ length }) => length))).toBeLessThanOrEqual(6);

  pair.clock.runUntil(pair.clock.now() + HEALED_WITHIN_MS);
  expect(pair.machines.map((machine) => machine.state().version)).toEqual(settled.map(({ version }) => version));
  if (expected === "direct") expectOnePath(pair);
}

/** Each sends to where the other's packets come from. */
function expectOnePath({ machines }: SimulatedPair): void {
  const ends = machines.map((machine) => {
    const { path } = machine.state();
    return path.kind === "direct" ? path.endpoint : null;
  });
  for (const index of [0, 1] as const) {
    const target = ends[index];
    const { host } = machines[index];
    const source = renderEndpoint({ address: host.address, port: 51_820 });
    if (target === null || target === undefined) throw new Error("not direct");
    const isNear =
      machines[1 - index]?.host.lan === host.lan &&
      parseEndpoint(target)?.address === machines[1 - index]?.host.address;
    expect(isNear ? source : host.gate.out(source, target)).toBe(ends[1 - index]);
  }
}
