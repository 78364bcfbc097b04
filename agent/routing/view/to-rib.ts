// From BIRD's routes to what is shown of them. Pure.
import ipaddr from "ipaddr.js";
import { MAX_RIB_LIST, MAX_RIB_ROUTES, type RibRoute } from "#schema/bgp";
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import { type MachineId, MeshId } from "#schema/ids";
import { isPrefixOverlapping, Prefix, toPrefixLength } from "#schema/prefix";
import type { BirdRoute } from "../../bird/parse-routes.ts";
import { toFilterReason } from "./to-filter-reason.ts";

export interface Rib {
  readonly routes: readonly RibRoute[];
  /** There are more than these. */
  readonly isTruncated: boolean;
}

export interface RibInputs {
  readonly desired: DesiredMesh;
  readonly machineId: MachineId;
  readonly routes: readonly BirdRoute[];
  /** Only what contains it or is inside it; null: all. */
  readonly prefix: Prefix | null;
}

/** By prefix, the best first, as BIRD has them; what filters refused comes last. */
export function toRib({ desired, machineId, routes, prefix }: RibInputs): Rib {
  const wanted = routes
    .flatMap((route) => {
      const parsed = Prefix.safeParse(route.prefix);
      if (!parsed.success || (prefix !== null && !isPrefixOverlapping(parsed.data, prefix))) return [];
      return [{ route, prefix: parsed.data, order: toOrder(parsed.data) }];
    })
    .sort((one, other) => (one.order < other.order ? -1 : Number(one.order > other.order)));
  const members = toMembers(desired);
  const refused = wanted.filter(({ route }) => route.isFiltered).slice(0, MAX_REFUSED);
  const others = wanted.filter(({ route }) => !route.isFiltered).slice(0, MAX_RIB_ROUTES - refused.length);
  const shown = [...others, ...refused];
  return {
    routes: shown.map(({ route, prefix: own }) => toRibRoute(route, own, { desired, machineId, members })),
    isTruncated: wanted.length > shown.length,
  };
}

/** Of those that are told, whatever else there is: whoever looks for a refused one finds it. */
const MAX_REFUSED = 500;

/** A text that sorts as networks do: IPv4 first, then by address, the shortest prefix first. */
function toOrder(prefix: Prefix): string {
  const bytes = ipaddr.parse(prefix.split("/")[0] ?? "").toByteArray();
  return String.fromCharCode(bytes.length, ...bytes, toPrefixLength(prefix));
}

interface Context {
  readonly desired: DesiredMesh;
  readonly machineId: MachineId;
  readonly members: ReadonlyMap<string, PeerRow>;
}

/** By machine id and by both addresses. */
const toMembers = ({ members }: DesiredMesh): ReadonlyMap<string, PeerRow> =>
  new Map(members.flatMap((row) => [row.machineId, row.address, row.address6].map((key) => [key, row])));

function toRibRoute(route: BirdRoute, prefix: Prefix, { desired, machineId, members }: Context): RibRoute {
  const { protocol, bgp, isBest, isFiltered, sinceMs } = route;
  const source = toSource(protocol, members);
  const nextHop = bgp?.nextHop ?? null;
  const isOwn = source.kind === "own";
  const origin = members.get(isOwn ? machineId : (nextHop ?? "")) ?? null;
  const asPath = bgp?.asPath ?? [];
  const communities = bgp?.communities ?? [];
  const [localPreference, med] = [bgp?.localPreference ?? null, bgp?.med ?? null];
  const peer = source.kind === "peer" ? (members.get(source.machineId ?? "") ?? null) : null;
  const filtered = { prefix, nextHop, asPath, communities, localPreference, med, peer, origin };
  return {
    prefix,
    nextHop: isOwn ? null : nextHop,
    origin:
      origin === null || source.kind === "gateway_link" ? null : { machineId: origin.machineId, name: origin.name },
    source,
    asPath: asPath.slice(0, MAX_RIB_LIST),
    localPreference,
    med,
    communities: communities.slice(0, MAX_RIB_LIST),
    isBest,
    filterReason: isFiltered ? toFilterReason(desired, filtered) : null,
    since: new Date(sinceMs).toISOString(),
  };
}

function toSource(protocol: string, members: ReadonlyMap<string, PeerRow>): RibRoute["source"] {
  const none = { protocol, machineId: null, name: null, meshId: null };
  const member = members.get(protocol);
  if (member !== undefined) return { ...none, kind: "peer", machineId: member.machineId, name: member.name };
  if (/^(?:announce|mesh)_/.test(protocol)) return { ...none, kind: "own" };
  const meshId = MeshId.safeParse(protocol.slice(LINK.length));
  if (protocol.startsWith(LINK) && meshId.success) return { ...none, kind: "gateway_link", meshId: meshId.data };
  return { ...none, kind: "other" };
}

const LINK = "gw_";
