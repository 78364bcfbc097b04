// Which of a peer's candidates are worth checks, and which of two that answer is better. Pure.
import { type Endpoint, isPrivateAddress, parseEndpoint } from "#schema/address";
import type { EndpointType } from "#schema/desired-state";
import { isHardNat, type NatSummary } from "#schema/nat";
import { canCheck } from "./conditions.ts";
import type { LocalFacts, Path, PathState, PeerFacts, Try } from "./path-state.ts";
import { type Place, toPlace } from "./surroundings.ts";

/** Everything that was told or learnt of the peer, with what became of it. What was taken back goes, unless it is in use or answers. */
export function toTries(
  { candidates }: PeerFacts,
  before: ReadonlyMap<Endpoint, Try>,
  path: Path,
): ReadonlyMap<Endpoint, Try> {
  const tries = new Map<Endpoint, Try>();
  for (const { endpoint, type } of candidates) {
    tries.set(endpoint, { ...(before.get(endpoint) ?? toUntried(type)), type });
  }
  for (const [endpoint, known] of before) {
    if (!tries.has(endpoint) && isLearnt(known.type) && known.answeredAtMs !== null) tries.set(endpoint, known);
  }
  if (path.kind === "direct" && !tries.has(path.endpoint)) {
    tries.set(path.endpoint, before.get(path.endpoint) ?? toUntried("mesh_observed"));
  }
  return limitTries(tries, path);
}

/** Twice what a peer may tell: the rest was learnt, and a peer behind a hard NAT shows another port each time. */
const MAX_TRIES = 32;

/** The learnt ones that were heard of the longest ago go first; what the peer told and what is in use stay. */
export function limitTries(tries: ReadonlyMap<Endpoint, Try>, path: Path): ReadonlyMap<Endpoint, Try> {
  if (tries.size <= MAX_TRIES) return tries;
  const isInUse = (endpoint: Endpoint) => path.kind === "direct" && path.endpoint === endpoint;
  const learnt = [...tries].filter(([endpoint, { type }]) => isLearnt(type) && !isInUse(endpoint));
  const toAge = ([, { answeredAtMs, sentAtMs }]: [Endpoint, Try]) => [answeredAtMs ?? 0, sentAtMs ?? 0] as const;
  const oldest = learnt.sort((one, other) => {
    const [a, b] = [toAge(one), toAge(other)];
    return a[0] - b[0] || a[1] - b[1];
  });
  const gone = new Set(oldest.slice(0, tries.size - MAX_TRIES).map(([endpoint]) => endpoint));
  return new Map([...tries].filter(([endpoint]) => !gone.has(endpoint)));
}

export const toUntried = (type: EndpointType): Try => ({
  type,
  sentAtMs: null,
  answeredAtMs: null,
  roundTripMs: null,
});

/** Not told by the peer: where its packets came from. */
const isLearnt = (type: EndpointType): boolean => type === "peer_observed" || type === "mesh_observed";

export function isViable(endpoint: Endpoint, local: LocalFacts): boolean {
  return toPlace(endpoint, local.surroundings).isReachable;
}

/**
 * Guessing ports can work: one side's mapping is hard, the other's is known to be none or easy, and UDP is open on both. A side that lets
 * everybody in needs no guesses: the hard one reaches it by itself.
 */
export function toBirthdayRole(local: NatSummary | null, peer: NatSummary | null): "open_ports" | "guess_ports" | null {
  if (local === null || peer === null || !local.isUdpOpen || !peer.isUdpOpen) return null;
  const isEasy = ({ mapping, filtering }: NatSummary) =>
    (mapping === "none" || mapping === "endpoint-independent") && filtering !== "endpoint-independent";
  if (isHardNat(local) && isEasy(peer)) return "open_ports";
  if (isEasy(local) && isHardNat(peer) && peer.publicAddress !== undefined) return "guess_ports";
  return null;
}

const TYPES_SEEN_OUTSIDE: readonly EndpointType[] = [
  "port_mapped",
  "static",
  "stun",
  "peer_observed",
  "mesh_observed",
  "host",
];

/** Where the easy side is seen from outside, IPv4: what the hard side opens its ports towards. */
export function toEasyEndpoint({ candidates }: PeerFacts): Endpoint | null {
  const isOutside = (endpoint: Endpoint) => {
    const address = parseEndpoint(endpoint)?.address ?? "";
    return !address.includes(":") && !isPrivateAddress(address);
  };
  for (const type of TYPES_SEEN_OUTSIDE) {
    const found = candidates.find((candidate) => candidate.type === type && isOutside(candidate.endpoint));
    if (found !== undefined) return found.endpoint;
  }
  return null;
}

/** No check can succeed, whatever is tried: the relay need not wait for a round to end. */
export function isHopeless(state: PathState): boolean {
  const { local, peer, tries } = state;
  if (!canCheck(state)) return false;
  const viable = [...tries.keys()].filter((endpoint) => isViable(endpoint, local));
  if (viable.some((endpoint) => toPlace(endpoint, local.surroundings).isNear)) return false;
  if (isUdpBlocked(state)) return true;
  const isOpened = [...tries].some(([endpoint, { type }]) => isOpen(type) && isViable(endpoint, local));
  return !isOpened && isHardPair({ local, peer }) && !hasIpv6(viable, local);
}

/** Somebody made the way in: a router on request, or a person. */
const isOpen = (type: EndpointType): boolean => type === "port_mapped" || type === "static";

export const isUdpBlocked = ({ local, peer }: Pick<PathState, "local" | "peer">): boolean =>
  local.nat?.isUdpOpen === false || peer.nat?.isUdpOpen === false;

export const isHardPair = ({ local, peer }: Pick<PathState, "local" | "peer">): boolean =>
  local.nat !== null && peer.nat !== null && isHardNat(local.nat) && isHardNat(peer.nat);

const hasIpv6 = (viable: readonly Endpoint[], { surroundings }: LocalFacts): boolean =>
  viable.some((endpoint) => toPlace(endpoint, surroundings).isIpv6);

/** At least this much faster, or of a better kind: else two equal paths would take turns. */
const HYSTERESIS_RATIO = 0.75;
const HYSTERESIS_MS = 3;

/** `one` is so much better than `other` that it is worth a change. */
export function isBetter(one: Endpoint, other: Endpoint, { tries, local }: PathState): boolean {
  const [a, b] = [toRank(toPlace(one, local.surroundings)), toRank(toPlace(other, local.surroundings))];
  if (a !== b) return a > b;
  const fast = tries.get(one)?.roundTripMs ?? Number.POSITIVE_INFINITY;
  const slow = tries.get(other)?.roundTripMs ?? Number.POSITIVE_INFINITY;
  return fast < slow * HYSTERESIS_RATIO - HYSTERESIS_MS;
}

/** The own network before the way through a router; else it is a matter of time. */
const toRank = ({ isNear, isPublic }: Place): number => (isNear ? 2 : isPublic ? 1 : 0);

/**
 * The endpoint to send to without having checked it, where checks can't be made: a private one only on a network of ours, since elsewhere the
 * same address is another machine; else a public one.
 */
export function toGuess({ peer, local }: Pick<PathState, "peer" | "local">): Endpoint | null {
  const { surroundings } = local;
  const endpoints = peer.candidates.map(({ endpoint }) => endpoint).filter((endpoint) => isViable(endpoint, local));
  const places = endpoints.map((endpoint) => ({ endpoint, ...toPlace(endpoint, surroundings) }));
  const found =
    places.find(({ isNear }) => isNear) ??
    (surroundings.hasPublicIpv6 ? places.find(({ isPublic, isIpv6 }) => isPublic && isIpv6) : undefined) ??
    places.find(({ isPublic, isIpv6 }) => isPublic && !isIpv6);
  return found?.endpoint ?? null;
}
