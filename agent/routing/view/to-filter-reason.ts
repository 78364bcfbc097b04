// Why an import filter refused a route, from what is known now: the filter that did may have been an older one. Pure; the counterpart of
// agent/bird/render-filters.ts.
import { isInside } from "#schema/address";
import type { FilterReason } from "#schema/bgp";
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import { evaluatePolicy } from "#schema/evaluate-policy";
import type { PolicyRules } from "#schema/policy";
import { isPrefixOverlapping, isWithin, type Prefix, toPrefixLength } from "#schema/prefix";

export interface FilteredRoute {
  readonly prefix: Prefix;
  readonly nextHop: string | null;
  readonly asPath: readonly string[];
  readonly communities: readonly string[];
  readonly localPreference: number | null;
  readonly med: number | null;
  /** Who told it; null: a gateway link. */
  readonly peer: PeerRow | null;
  /** Whose address the next hop is. */
  readonly origin: PeerRow | null;
}

export function toFilterReason(desired: DesiredMesh, route: FilteredRoute): FilterReason {
  const { prefix, nextHop, asPath, peer, origin } = route;
  const ownNetwork = [desired.mesh.cidr, desired.mesh.cidr6].find((network) =>
    isInside(prefix.split("/")[0] ?? "", network),
  );
  if (peer === null) {
    if (ownNetwork !== undefined) return toMeshNetwork(prefix, ownNetwork);
    if (isRefusedBy(desired.mesh.policies.import, route)) return toPolicy("the mesh's import policy set refuses it");
    return toPolicy(`${prefix} is not among what may come from other meshes`);
  }
  if (origin === null) {
    return { code: "unknown_next_hop", message: `its next hop ${nextHop ?? "(none)"} is no member's address` };
  }
  if (origin !== peer && !peer.isGateway) {
    const message = `${peer.name} named ${origin.name} as next hop, which only a gateway may do`;
    return { code: "foreign_next_hop", message };
  }
  if (ownNetwork !== undefined && !isHostOf(prefix, ownNetwork)) return toMeshNetwork(prefix, ownNetwork);
  if (asPath.length > 0) {
    if (!origin.isGateway) return toPolicy(`it comes from another mesh, and ${origin.name} is no gateway`);
    if (isRefusedBy(desired.policies.import, route)) return REFUSED_HERE;
    return toPolicy(`${prefix} is not among what gateways may bring from other meshes`);
  }
  return toNotAuthorised(desired, route, origin);
}

const toPolicy = (message: string): FilterReason => ({ code: "policy", message });
const REFUSED_HERE = toPolicy("this machine's import policy set refuses it");

const isRefusedBy = (policy: PolicyRules | null, { asPath, ...route }: FilteredRoute): boolean =>
  policy !== null && evaluatePolicy(policy, { ...route, asPath: asPath.map(Number) }).action === "reject";

const toMeshNetwork = (prefix: Prefix, network: string): FilterReason => ({
  code: "mesh_network",
  message: `${prefix} overlaps ${network}, the mesh's own network`,
});

function toNotAuthorised(desired: DesiredMesh, route: FilteredRoute, origin: PeerRow): FilterReason {
  const { prefix } = route;
  const rows = desired.announcements ?? [];
  const ofOrigin = rows.filter(({ machineIds }) => machineIds.includes(origin.machineId));
  if (desired.members.some(({ address, address6 }) => prefix === `${address}/32` || prefix === `${address6}/128`)) {
    return { code: "mesh_network", message: `${prefix} is a member's own address` };
  }
  if (ofOrigin.some(({ prefixes }) => prefixes.includes(prefix))) {
    if (isRefusedBy(desired.policies.import, route)) return REFUSED_HERE;
    return {
      code: "unknown",
      message: `${origin.name} may announce ${prefix}: it was refused before that was known here`,
    };
  }
  const near = ofOrigin.flatMap(({ prefixes }) => prefixes).find((allowed) => isPrefixOverlapping(allowed, prefix));
  const hint = near === undefined ? "" : `, only ${near} exactly`;
  return {
    code: "not_authorised",
    message: `no route or VIP of this mesh lets ${origin.name} announce ${prefix}${hint}`,
  };
}

const isHostOf = (prefix: Prefix, network: string): boolean =>
  isWithin(prefix, network) && toPrefixLength(prefix) === (prefix.includes(":") ? 128 : 32);
