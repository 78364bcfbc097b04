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
  /** Adds to it: another endpoint may have been seen there before. */
  note(source: EndpointSource, endpoint: Endpoint, nowMs: number): void;
  /** What a network change makes doubtful goes. */
  forgetSeen(): void;
  candidates(nat: NatSummary | null, nowMs: number): Candidate[];
  list(meshId: MeshId, nowMs: number): ObservedEndpoint[];
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
/** Told in this order; the first kind of an endpoint counts. */
const TYPES: readonly EndpointType[] = ["static", "host", "port_mapped", "stun", "peer_observed", "mesh_observed"];

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
        .filter(({ lastMs }) => nowMs - lastMs < KEPT_FOR_MS)
        .map((seen) =>
          isSameSource(seen, source) && !endpoints.includes(seen.endpoint) ? { ...seen, isPast: true } : seen,
        );
      for (const endpoint of endpoints.slice(0, MAX_OF_TYPE)) put(source, endpoint, nowMs);
    },
    note: put,
    forgetSeen() {
      all = all.map((seen) => (isByOthers(seen.type) ? { ...seen, isPast: true } : seen));
    },
    candidates: (nat, nowMs) => toCandidates(all, nat, nowMs),
    list: (meshId, nowMs) =>
      all.map(({ endpoint, type, observedBy, firstMs, lastMs, isPast }) => ({
        meshId,
        address: endpoint,
        type,
        observedBy,
        firstSeen: new Date(firstMs).toISOString(),
        lastSeen: new Date(isPast || isByOthers(type) ? lastMs : nowMs).toISOString(),
      })),
  };
}

/** What is past goes first, then what was seen first. */
function makeRoom(all: readonly Seen[], type: EndpointType): readonly Seen[] {
  const ofType = all.filter((seen) => seen.type === type);
  if (ofType.length < MAX_OF_TYPE) return all;
  const going = ofType.find(({ isPast }) => isPast) ?? ofType[0];
  return all.filter((seen) => seen !== going);
}

/** The mapping of a hard NAT is for one destination only: nobody else can use it, so it is not told. */
function toCandidates(all: readonly Seen[], nat: NatSummary | null, nowMs: number): Candidate[] {
  const current = all.filter((seen) => !seen.isPast && (!isByOthers(seen.type) || nowMs - seen.lastMs < SEEN_FOR_MS));
  const isHard = nat === null ? isAddressSeenWithManyPorts(current) : isHardNat(nat);
  const told = new Map<Endpoint, EndpointType>();
  for (const type of TYPES) {
    if (isByOthers(type) && isHard) continue;
    const ofType = current.filter((seen) => seen.type === type);
    const some = type === "peer_observed" || type === "mesh_observed" ? ofType.slice(-MAX_OBSERVED_TOLD) : ofType;
    for (const { endpoint } of some) if (!told.has(endpoint)) told.set(endpoint, type);
  }
  return [...told].slice(0, MAX_ENDPOINTS_PER_MEMBER).map(([endpoint, type]) => ({ type, endpoint }));
}

/** Two observers that see one address with different ports prove a mapping that depends on the destination, also without STUN servers. */
function isAddressSeenWithManyPorts(current: readonly Seen[]): boolean {
  const ports = new Map<string, number>();
  for (const { type, endpoint } of current) {
    const parts = isByOthers(type) ? parseEndpoint(endpoint) : null;
    if (parts === null) continue;
    const known = ports.get(parts.address);
    if (known !== undefined && known !== parts.port) return true;
    ports.set(parts.address, parts.port);
  }
  return false;
}

const isByOthers = (type: EndpointType): boolean =>
  type === "stun" || type === "peer_observed" || type === "mesh_observed";

const isSameSource = (one: EndpointSource, other: EndpointSource): boolean =>
  one.type === other.type && one.observedBy === other.observedBy;
