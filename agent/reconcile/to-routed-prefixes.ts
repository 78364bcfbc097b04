// From the routes that a mesh's BIRD put into the kernel to what each peer may send and be sent. BIRD's filters have refused what nobody was
// authorised for already; this is the boundary that holds if one of them does not. Pure.
import { parseIpv4Cidr } from "#schema/address";
import type { AnnouncementRow, DesiredMesh, PeerRow } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { isDefaultRoute, isWithin, type Prefix } from "#schema/prefix";
import { toIpv4Value } from "../net/ipv4-text.ts";
import type { KernelRoute } from "../net/kernel-routes.ts";

/** What is behind whom. */
export type RoutedPrefixes = ReadonlyMap<MachineId, readonly Prefix[]>;

export interface Routing {
  readonly routed: RoutedPrefixes;
  readonly refused: readonly RefusedRoute[];
}

export interface RefusedRoute {
  readonly route: KernelRoute;
  readonly reason: RefusalReason;
}

export type RefusalReason =
  /** It leaves by another interface than the mesh's. */
  | "other_interface"
  /** It has several next hops, or none: WireGuard sends to one. */
  | "no_single_next_hop"
  /** No other member has the address of its next hop. */
  | "unknown_next_hop"
  /** It is the address of a member, or more of the mesh's own networks than a single address. */
  | "own_network"
  /** Nobody allowed the member to announce exactly this. */
  | "not_authorised";

/** What a mesh says of it. */
export interface Authorising extends Pick<DesiredMesh, "mesh" | "members"> {
  readonly announcements: readonly AnnouncementRow[] | null;
}

interface Inputs {
  readonly desired: Authorising;
  readonly machineId: MachineId;
  readonly interfaceName: string;
  readonly routes: readonly KernelRoute[];
}

/** Whether there may be any: without announcements, and without gateways that bring some from elsewhere, nobody is behind anybody. */
export const mayHaveRoutes = ({ announcements, members }: Pick<Authorising, "members" | "announcements">): boolean =>
  (announcements ?? []).length > 0 || members.some(({ isGateway }) => isGateway);

export function toRoutedPrefixes({ desired, machineId, interfaceName, routes }: Inputs): Routing {
  const { mesh, members, announcements } = desired;
  const others = members.filter((member) => member.machineId !== machineId);
  const byAddress = new Map<string, PeerRow>(
    others.flatMap((one) => [one.address, one.address6].map((at) => [at, one])),
  );
  const ownAddresses = new Set(members.flatMap(({ address, address6 }) => [`${address}/32`, `${address6}/128`]));
  // By prefix: by member it would be each prefix for each of its machines, a million at the most.
  const authorised = new Map<Prefix, (readonly MachineId[])[]>();
  for (const { prefixes, machineIds } of announcements ?? []) {
    for (const prefix of prefixes) {
      const known = authorised.get(prefix);
      if (known === undefined) authorised.set(prefix, [machineIds]);
      else known.push(machineIds);
    }
  }
  const own = parseIpv4Cidr(mesh.cidr);
  const isInMesh = (prefix: Prefix) => {
    if (prefix.includes(":")) return isWithin(prefix, mesh.cidr6);
    const [address = "", length] = prefix.split("/");
    const value = toIpv4Value(address);
    if (own === null || value === null) return true;
    return Number(length) >= own.prefixLength && value >= own.first && value <= own.last;
  };

  function judge({ prefix, nextHop, device }: KernelRoute): PeerRow | RefusalReason {
    if (device !== interfaceName && nextHop !== null) return "other_interface";
    if (nextHop === null) return "no_single_next_hop";
    const member = byAddress.get(nextHop);
    if (member === undefined) return "unknown_next_hop";
    if (ownAddresses.has(prefix)) return "own_network";
    const isOwn = isInMesh(prefix);
    if (isOwn && !/\/(32|128)$/.test(prefix)) return "own_network";
    if (authorised.get(prefix)?.some((ids) => ids.includes(member.machineId))) return member;
    return member.isGateway && !isOwn && !isDefaultRoute(prefix) ? member : "not_authorised";
  }

  const routed = new Map<MachineId, Prefix[]>();
  const refused: RefusedRoute[] = [];
  for (const route of routes) {
    const verdict = judge(route);
    if (typeof verdict === "string") {
      refused.push({ route, reason: verdict });
      continue;
    }
    const behind = routed.get(verdict.machineId);
    if (behind === undefined) routed.set(verdict.machineId, [route.prefix]);
    else behind.push(route.prefix);
  }
  return { routed, refused };
}

/**
 * The same for the same routes of the same mesh, and the same list for a member behind whom is the same as before: what did not change is not
 * worked out again, here and in what is made of it.
 */
export function createRoutingCache(): (inputs: Inputs) => Routing {
  let before: { readonly inputs: Inputs; readonly routing: Routing } | null = null;
  return (inputs) => {
    const { desired, routes } = inputs;
    const isSame =
      before?.inputs.routes === routes &&
      before.inputs.desired.mesh === desired.mesh &&
      before.inputs.desired.members === desired.members &&
      before.inputs.desired.announcements === desired.announcements;
    if (before !== null && isSame) return before.routing;
    const { routed, refused } = toRoutedPrefixes(inputs);
    const known = before?.routing.routed;
    const kept = [...routed].map(([id, prefixes]) => {
      const last = known?.get(id);
      return [id, last !== undefined && isSameList(last, prefixes) ? last : prefixes] as const;
    });
    before = { inputs, routing: { routed: new Map(kept), refused } };
    return before.routing;
  };
}

const isSameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);
