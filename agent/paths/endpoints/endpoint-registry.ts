// Where this machine was seen, by whom, since when; and which of that is worth telling the other members of a mesh. One for each mesh.
import { type Endpoint, parseEndpoint } from "#schema/address";
import type { Candidate, EndpointType } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import { MAX_ENDPOINTS_PER_MEMBER } from "#schema/limits";
import { isHardNat, type NatSummary } from "#schema/nat";
import type { ObservedEndpoint } from "#schema/path";

export interface EndpointRegistry {
  /** Replaces what this source said before of this kind. */
  set(source: EndpointSource, endpoints: readonly Endpoint[], nowMs: number): void;
  /** Adds to it: a member saw this machine there. Another endpoint than before counts once in 20 s. */
  note(source: EndpointSource, endpoint: Endpoint, nowMs: number): void;
  /** What a network change makes doubtful goes: what others saw, and what the router opened. */
  forgetSeen(nowMs: number): void;
  candidates(nat: NatSummary | null, nowMs: number): Candidate[];
  /** What others read is by the wall clock. */
  list(meshId: MeshId, nowMs: number, toWallMs: (atMs: number) => number): ObservedEndpoint[];
}

export interface EndpointSource {
  readonly type: EndpointType;
  /** A STUN server, a router, a member; null: this machine itself. */
  readonly observedBy: string | null;
}

interface Seen extends EndpointSource {
  readonly endpoint: Endpoint;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Not said any more. */
  readonly isPast: boolean;
}

/** What others say of us counts for this long: a NAT forgets. */
const SEEN_FOR_MS = 120_000;
const KEPT_FOR_MS = 3_600_000;
/** Of one type: what others claim must not push out what this machine knows by itself. */
const MAX_OF_TYPE = MAX_ENDPOINTS_PER_MEMBER;
/** A member that lies can send our peers' checks to somebody else: to few, and not for long. */
const MAX_OBSERVED_TOLD = 2;
/** What a member saw this long ago gives way to what is still seen. Each new endpoint is also an update for all members: no more often than this. */
const HEARD_FOR_MS = 20_000;
/** Told in this order, before what members see; the first kind of an endpoint counts. */
const TYPES: readonly EndpointType[] = ["static", "host", "port_mapped", "stun"];

export function createEndpointRegistry(): EndpointRegistry {
  let all: readonly Seen[] = [];

  function put(source: EndpointSource, endpoint: Endpoint, nowMs: number): void {
    const isSame = (seen: Seen) => isSameSource(seen, source) && seen.endpoint === endpoint;
    const before = all.find(isSame);
    const entry = { ...source, endpoint, firstMs: before?.firstMs ?? nowMs, lastMs: nowMs, isPast: false };
    all =
      before === undefined ? [...makeRoom(all, source.type), entry] : all.map((seen) => (isSame(seen) ? entry : seen));
  }

  return {
    set(source, endpoints, nowMs) {
      all = all
        .filter((seen) => !isEnding(seen) || nowMs - seen.lastMs < KEPT_FOR_MS)
        .map((seen) => (isSameSource(seen, source) && !endpoints.includes(seen.endpoint) ? toPast(seen, nowMs) : seen));
      for (const endpoint of endpoints.slice(0, MAX_OF_TYPE)) put(source, endpoint, nowMs);
    },
    note(source, endpoint, nowMs) {
      const current = all.filter((seen) => !seen.isPast && isSameSource(seen, source));
      const isOther = !current.some((seen) => seen.endpoint === endpoint);
      if (isOther && current.some(({ firstMs }) => nowMs - firstMs < HEARD_FOR_MS)) return;
      put(source, endpoint, nowMs);
    },
    forgetSeen(nowMs) {
      all = all.map((seen) => (isByOthers(seen.type) || seen.type === "port_mapped" ? toPast(seen, nowMs) : seen));
    },
    candidates: (nat, nowMs) => toCandidates(all, nat, nowMs),
    list: (meshId, nowMs, toWallMs) =>
      all.map(({ endpoint, type, observedBy, firstMs, lastMs, isPast }) => ({
        meshId,
        address: endpoint,
        type,
        observedBy,
        firstSeen: new Date(toWallMs(firstMs)).toISOString(),
        lastSeen: new Date(toWallMs(isEnding({ type, isPast }) ? lastMs : nowMs)).toISOString(),
      })),
  };
}

/** What this machine knows by itself is there until it is taken back. */
const isEnding = ({ type, isPast }: Pick<Seen, "type" | "isPast">): boolean => isPast || isByOthers(type);

function toPast(seen: Seen, nowMs: number): Seen {
  return { ...seen, isPast: true, lastMs: isEnding(seen) ? seen.lastMs : nowMs };
}

/** What is past goes first, then what was seen the longest ago. */
function makeRoom(all: readonly Seen[], type: EndpointType): readonly Seen[] {
  const ofType = all.filter((seen) => seen.type === type);
  if (ofType.length < MAX_OF_TYPE) return all;
  const [going] = ofType.sort((a, b) => Number(b.isPast) - Number(a.isPast) || a.lastMs - b.lastMs);
  return all.filter((seen) => seen !== going);
}

/** The mapping of a hard NAT is for one destination only: nobody else can use it, so it is not told. */
function toCandidates(all: readonly Seen[], nat: NatSummary | null, nowMs: number): Candidate[] {
  const current = all.filter((seen) => !seen.isPast && (!isByOthers(seen.type) || nowMs - seen.lastMs < SEEN_FOR_MS));
  const isHard = nat === null ? isSeenDifferently(current) : isHardNat(nat);
  const usable = current.filter(({ type }) => !isHard || !isByOthers(type));
  const told = new Map<Endpoint, EndpointType>();
  for (const type of TYPES) {
    for (const seen of usable) if (seen.type === type && !told.has(seen.endpoint)) told.set(seen.endpoint, type);
  }
  for (const { type, endpoint } of chooseObserved(usable, told, nowMs)) told.set(endpoint, type);
  return [...told].slice(0, MAX_ENDPOINTS_PER_MEMBER).map(([endpoint, type]) => ({ type, endpoint }));
}

/**
 * Of what members say they see: what is still seen, the longest known first, so that it takes more than a new claim to push it out; of each
 * member one endpoint.
 */
function chooseObserved(current: readonly Seen[], told: ReadonlyMap<Endpoint, unknown>, nowMs: number): Seen[] {
  const toRank = ({ lastMs }: Seen) => (nowMs - lastMs < HEARD_FOR_MS ? 0 : 1);
  const chosen: Seen[] = [];
  const ranked = current.filter(isByMember).sort((a, b) => toRank(a) - toRank(b) || a.firstMs - b.firstMs);
  for (const seen of ranked) {
    const isTold = told.has(seen.endpoint) || chosen.some(({ endpoint }) => endpoint === seen.endpoint);
    const isOneMore = chosen.some(({ observedBy }) => observedBy === seen.observedBy);
    if (!isTold && !isOneMore && chosen.length < MAX_OBSERVED_TOLD) chosen.push(seen);
  }
  return chosen;
}

/**
 * Each observer sees one address with another port: a mapping that depends on the destination, also before the NAT is measured. One member
 * may lie, so without it there still have to be two.
 */
function isSeenDifferently(current: readonly Seen[]): boolean {
  const views = new Map<string, Map<string | null, { readonly port: number; readonly isByMember: boolean }>>();
  for (const seen of current.filter(({ type }) => isByOthers(type)).sort((a, b) => a.lastMs - b.lastMs)) {
    const parts = parseEndpoint(seen.endpoint);
    if (parts === null) continue;
    const view = views.get(parts.address) ?? new Map();
    views.set(parts.address, view.set(seen.observedBy, { port: parts.port, isByMember: isByMember(seen) }));
  }
  return [...views.values()].some((view) => {
    const ports = new Set([...view.values()].map(({ port }) => port));
    const doubtful = [...view.values()].some((one) => one.isByMember) ? 1 : 0;
    return ports.size === view.size && view.size - doubtful >= 2;
  });
}

const isByMember = ({ type }: Pick<Seen, "type">): boolean => type === "peer_observed" || type === "mesh_observed";

const isByOthers = (type: EndpointType): boolean => type === "stun" || isByMember({ type });

const isSameSource = (one: EndpointSource, other: EndpointSource): boolean =>
  one.type === other.type && one.observedBy === other.observedBy;
