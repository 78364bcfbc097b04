// A path machine by itself, with times said in milliseconds from its beginning: events go in, actions come out.
import type { Endpoint } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import type { NatSummary } from "#schema/nat";
import { testMachineId } from "../../../testing/mesh-model.ts";
import { createPath, nextWakeMs, stepPath } from "../path-machine.ts";
import type { LocalFacts, Path, PathAction, PathEvent, PathState, PeerFacts } from "../path-state.ts";
import { toSurroundings } from "../surroundings.ts";

export const BEGINNING_MS = 1_800_000_000_000;
export const PEER = testMachineId(2);
export const GATEWAY = testMachineId(3);
export const OTHER_GATEWAY = testMachineId(4);

export const endpoint = (text: string) => text as Endpoint;
export const candidate = (type: Candidate["type"], text: string): Candidate => ({ type, endpoint: endpoint(text) });

const nat = (mapping: NatSummary["mapping"], filtering: NatSummary["filtering"], publicAddress: string): NatSummary =>
  ({ mapping, filtering, isUdpOpen: true, publicAddress }) as NatSummary;
const FILTERED = "address-and-port-dependent";
export const NATS = {
  here: {
    none: nat("none", "endpoint-independent", "192.0.2.1"),
    easy: nat("endpoint-independent", FILTERED, "198.51.100.1"),
    hard: nat("address-and-port-dependent", FILTERED, "198.51.100.1"),
    blocked: { mapping: "unknown", filtering: "unknown", isUdpOpen: false },
  },
  there: {
    none: nat("none", "endpoint-independent", "192.0.2.2"),
    easy: nat("endpoint-independent", FILTERED, "198.51.100.2"),
    hard: nat("address-and-port-dependent", FILTERED, "198.51.100.2"),
    blocked: { mapping: "unknown", filtering: "unknown", isUdpOpen: false },
  },
} as const satisfies Record<string, Record<string, NatSummary>>;

export const LAN_ENDPOINT = endpoint("10.0.0.2:51820");
export const STUN_ENDPOINT = endpoint("198.51.100.2:51820");
export const EASY_CANDIDATES = [candidate("host", "10.9.0.2:51820"), candidate("stun", STUN_ENDPOINT)];

export interface PathFixture {
  state(): PathState;
  /** Steps at this time, after every wake-up that is due before. */
  at(timeMs: number, event: PathEvent): PathAction[];
  /** Lets time pass: does every wake-up until then. */
  until(timeMs: number): PathAction[];
  /** From now on checks there are answered, 20 ms later unless said otherwise; null: none is. */
  answerFrom(endpoint: Endpoint | null, roundTripMs?: number): void;
  /** All actions so far. */
  readonly actions: PathAction[];
  /** Of one kind. */
  count(type: PathAction["type"]): number;
  nowMs(): number;
}

export interface PathOptions {
  readonly local?: Partial<LocalFacts>;
  readonly addresses?: readonly string[];
  readonly peer?: Partial<PeerFacts>;
  readonly path?: Path;
  readonly isControlling?: boolean;
  readonly isEager?: boolean;
  /** Its turn to guess ports comes at once. */
  readonly hasTurns?: boolean;
}

export const toLocal = (local: Partial<LocalFacts> = {}, addresses: readonly string[] = ["10.0.0.1"]): LocalFacts => ({
  surroundings: toSurroundings(
    addresses.map((address) => ({ interfaceName: "eth0", address, prefixLength: address.includes(":") ? 64 : 24 })),
  ),
  nat: NATS.here.easy,
  canCheck: true,
  fallback: "relay",
  keepaliveSeconds: 25,
  ...local,
});

export const toPeer = (peer: Partial<PeerFacts> = {}): PeerFacts => ({
  candidates: EASY_CANDIDATES,
  nat: NATS.there.easy,
  answersChecks: true,
  ...peer,
});

/** Two machines behind easy NATs in an eager mesh, this one controlling, unless said otherwise. */
export function setUpPath(options: PathOptions = {}): PathFixture {
  const { isControlling = true, isEager = true, hasTurns = false, path = { kind: "none" } } = options;
  const local = toLocal(options.local, options.addresses);
  const actions: PathAction[] = [];
  const coming: { readonly atMs: number; readonly event: PathEvent }[] = [];
  let answering: Endpoint | null = null;
  let answeringAfterMs = 20;
  let nowMs = BEGINNING_MS;
  let state = createPath({ peerId: PEER, isControlling, isEager, peer: toPeer(options.peer), local, path }, nowMs);

  function step(event: PathEvent): PathAction[] {
    const next = stepPath(state, event, nowMs);
    state = next.state;
    actions.push(...next.actions);
    for (const action of next.actions) {
      const isAnswered = action.type === "send_checks" && answering !== null && action.endpoints.includes(answering);
      if (isAnswered)
        coming.push({ atMs: nowMs + answeringAfterMs, event: answered(answering as Endpoint, answeringAfterMs) });
      if (action.type === "ask_turn" && hasTurns) coming.push({ atMs: nowMs, event: TURN });
    }
    coming.sort((one, other) => one.atMs - other.atMs);
    return [...next.actions];
  }
  function until(timeMs: number): PathAction[] {
    const from = actions.length;
    for (;;) {
      const wakeMs = nextWakeMs(state, nowMs) ?? Number.POSITIVE_INFINITY;
      const next = coming[0];
      if (Math.min(wakeMs, next?.atMs ?? wakeMs) > BEGINNING_MS + timeMs) break;
      if (next !== undefined && next.atMs <= wakeMs) {
        coming.shift();
        nowMs = next.atMs;
        step(next.event);
      } else {
        nowMs = wakeMs;
        step({ type: "tick" });
      }
    }
    nowMs = BEGINNING_MS + timeMs;
    return actions.slice(from);
  }

  step({ type: "tick" });
  return {
    actions,
    state: () => state,
    until,
    answerFrom(endpoint, roundTripMs = 20) {
      answering = endpoint;
      answeringAfterMs = roundTripMs;
    },
    at(timeMs, event) {
      until(timeMs);
      return step(event);
    },
    count: (type) => actions.filter((action) => action.type === type).length,
    nowMs: () => nowMs,
  };
}

export const answered = (at: Endpoint, roundTripMs = 20): PathEvent => ({
  type: "answered",
  endpoint: at,
  roundTripMs,
});
export const TURN: PathEvent = { type: "birthday_turn" };
export const TRAFFIC: PathEvent = { type: "traffic", isSent: true, isReceived: true };
export const SENT: PathEvent = { type: "traffic", isSent: true, isReceived: false };
export const RECEIVED: PathEvent = { type: "traffic", isSent: false, isReceived: true };
export const RELAY_READY: PathEvent = { type: "relay_peer", isPresent: true };
export const typesOf = (actions: readonly PathAction[]): string[] => actions.map(({ type }) => type);
