// The import filters: what may come from whom. Pure. Exact prefixes only, and only with the next hop of the member that they were authorised
// for: whoever sends them can't aim traffic at a third one. All else is refused, and BIRD remembers it as filtered.
import { isInside } from "#schema/address";
import { isDefaultRoute, SHORTEST_IPV4, SHORTEST_IPV6 } from "#schema/prefix";
import type { BirdConfig, BirdMember, GatewayLink, Prefix } from "./bird-config.ts";
import { toCopyMark } from "./copy-mark.ts";
import { renderBroughtBound, renderLinkImport, renderMemberImport } from "./render-policies.ts";

type Family = "ipv4" | "ipv6";

/** A member may be ahead of us by some announcements; whoever sends more than that fills nobody's memory. */
const RECEIVE_SLACK = 64;
const MAX_PREFIXES_OF_OTHER_MESHES = 10_000;

export const isIpv6 = (prefix: string): boolean => prefix.includes(":");
const isOf = (family: Family) => (prefix: Prefix) => isIpv6(prefix) === (family === "ipv6");

/** What an origin may announce in this mesh, of one family. */
export type ExactPrefixes = (origin: BirdMember, family: Family) => readonly string[];

export function toReceiveLimit(config: BirdConfig, exactOf: ExactPrefixes, member: BirdMember, family: Family): number {
  const origins = [member, ...toCopied(config, member)];
  const exact = origins.reduce((sum, origin) => sum + exactOf(origin, family).length, 0);
  const brings = member.prefixesOfOtherMeshes.some(isOf(family));
  return exact + RECEIVE_SLACK + (brings ? MAX_PREFIXES_OF_OTHER_MESHES : 0);
}

/** The statements of the filter for what this member sends. */
export function renderImportFrom(
  config: BirdConfig,
  exactOf: ExactPrefixes,
  member: BirdMember,
  family: Family,
): string[] {
  const copied = toCopied(config, member);
  const cases = [
    ...renderCase(config, exactOf, member, family),
    ...copied.flatMap((origin) => renderCopyCase(config, exactOf, origin, family)),
  ];
  // BIRD has no empty sets.
  if (cases.length === 0) return ["reject;"];
  return [
    ...renderMemberImport(config, family),
    "case bgp_next_hop {",
    ...cases.map((line) => `  ${line}`),
    "}",
    "reject;",
  ];
}

export function renderImportFromLink(config: BirdConfig, link: GatewayLink, family: Family): string[] {
  const { cidr, cidr6 } = config;
  const own = family === "ipv4" ? cidr : cidr6;
  return [
    `if net ~ [ ${own}+ ] then reject;`,
    ...renderLinkImport(config, family),
    ...renderAccept("", link.prefixes.filter(isOf(family)).map(orLonger)),
    "reject;",
  ];
}

/** Whose prefixes it may pass on: there is a session with each gateway itself. */
function toCopied({ members }: BirdConfig, { isGateway }: BirdMember): readonly BirdMember[] {
  return isGateway ? members.filter((origin) => !origin.isGateway) : [];
}

function renderCase(config: BirdConfig, exactOf: ExactPrefixes, origin: BirdMember, family: Family): string[] {
  const own = family === "ipv4" ? config.cidr : config.cidr6;
  const foreign = origin.prefixesOfOtherMeshes.filter(isOf(family)).map(orLonger);
  return renderNextHop(origin, family, [
    ...renderAccept("bgp_path.len = 0 && ", exactOf(origin, family)),
    ...renderAccept(`bgp_path.len > 0 && !(net ~ [ ${own}+ ]) && ${renderBroughtBound(config, family)}`, foreign),
  ]);
}

function renderCopyCase(config: BirdConfig, exactOf: ExactPrefixes, origin: BirdMember, family: Family): string[] {
  const condition = `bgp_path.len = 0 && ${toCopyMark(config)} ~ bgp_large_community && `;
  return renderNextHop(origin, family, renderAccept(condition, exactOf(origin, family)));
}

function renderNextHop({ address, address6 }: BirdMember, family: Family, lines: readonly string[]): string[] {
  const head = `${family === "ipv4" ? address : address6} :`;
  // The space ends an IPv6 address, which a colon would go on with. BIRD 3 takes one statement or a block.
  return lines.length === 0 ? [] : [`${head} {`, ...lines.map((line) => `  ${line}`), "}"];
}

/**
 * Never a member's address, nor more of the mesh's own network than single hosts: whatever the control plane says. Each origin's once for a
 * configuration: all gateways have all of them.
 */
export function toExactPrefixes({ cidr, cidr6, members, address, address6 }: BirdConfig): ExactPrefixes {
  const taken = new Set(members.flatMap((member) => [`${member.address}/32`, `${member.address6}/128`]));
  taken.add(`${address}/32`).add(`${address6}/128`);
  const known = { ipv4: new Map<BirdMember, string[]>(), ipv6: new Map<BirdMember, string[]>() };
  const isAllowed = (prefix: Prefix) => {
    const [own, host] = isIpv6(prefix) ? [cidr6, "/128"] : [cidr, "/32"];
    return !taken.has(prefix) && (prefix.endsWith(host) || !isInside(prefix.split("/")[0] ?? "", own));
  };
  return (origin, family) => {
    const prefixes = known[family].get(origin) ?? origin.prefixes.filter(isOf(family)).filter(isAllowed);
    known[family].set(origin, prefixes);
    return prefixes;
  };
}

/** A default route, and what is as good as one, never comes from another mesh: WireGuard would not let it through (agent/reconcile), and hold up all. */
const orLonger = (prefix: Prefix): string => {
  if (!isDefaultRoute(prefix)) return `${prefix}+`;
  return isIpv6(prefix) ? `${prefix}{${SHORTEST_IPV6},128}` : `${prefix}{${SHORTEST_IPV4},32}`;
};

const renderAccept = (condition: string, patterns: readonly string[]): string[] =>
  patterns.length === 0 ? [] : [`if ${condition}net ~ [ ${patterns.join(", ")} ] then accept;`];
