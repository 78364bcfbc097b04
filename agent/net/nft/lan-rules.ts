// What comes in by the interfaces that lead to announced networks, where we switched forwarding on for them: only what those networks send
// into the meshes goes through, so that the machine is a router for nothing else. One chain for the machine. Pure.
import type { Prefix } from "#schema/prefix";
import { parsePhrase, sortNetworks, toPhrase } from "./network-rules.ts";
import { type Chain, parseNftList, type Rule } from "./nft-list.ts";
import { renderChain, renderChainRemoval, TABLE } from "./nft-table.ts";

export type Family = "ipv4" | "ipv6";

export interface LanGuard {
  /** The interface that leads to the networks. */
  readonly name: string;
  readonly family: Family;
  readonly networks: readonly LanNetwork[];
}

export interface LanNetwork {
  readonly prefix: Prefix;
  /** The interface of the mesh that it is announced in. */
  readonly to: string;
}

const CHAIN = "lan";

/** One transaction. */
export const renderLanGuards = (guards: readonly LanGuard[]): string =>
  `${LAN_REMOVAL_SCRIPT}table inet ${TABLE} {\n${renderChain(CHAIN, toChain(guards))}\n}\n`;

export const LAN_REMOVAL_SCRIPT = renderChainRemoval(CHAIN);

/** As of parseGuards. None: there is no such chain, or not as we would write it. */
export function parseLanGuards(json: string): LanGuard[] {
  const chain = parseNftList(json).get(CHAIN);
  if (chain === undefined) return [];
  const guards: LanGuard[] = [];
  let networks: LanNetwork[] = [];
  for (const rule of chain.rules) {
    const [name, to] = [findName(rule, "iifname"), findName(rule, "oifname")];
    const prefix = rule.flatMap((phrase) => parsePhrase(phrase, "saddr"))[0];
    if (prefix !== undefined && to !== undefined) networks.push({ prefix, to });
    else if (name !== undefined) {
      guards.push({ name, family: rule.includes(FAMILY.ipv6) ? "ipv6" : "ipv4", networks });
      networks = [];
    }
  }
  return isSameLanGuards(guards, guards, chain) ? guards : [];
}

export const isSameLanGuards = (
  left: readonly LanGuard[],
  right: readonly LanGuard[],
  chain = toChain(right),
): boolean => JSON.stringify(toChain(left)) === JSON.stringify(chain);

function toChain(guards: readonly LanGuard[]): Chain {
  const sorted = [...guards].sort((a, b) => (toKey(a) < toKey(b) ? -1 : 1));
  return { hook: "forward", priority: 0, rules: sorted.flatMap(toRules) };
}

const FAMILY = { ipv4: "meta nfproto ipv4", ipv6: "meta nfproto ipv6" } as const;

function toRules({ name, family, networks }: LanGuard): Rule[] {
  const cameIn = `iifname "${name}"`;
  return [
    ...sortPairs(networks).map(({ prefix, to }) => [cameIn, `oifname "${to}"`, toPhrase(prefix, "saddr"), "accept"]),
    [cameIn, FAMILY[family], "drop"],
  ];
}

/** Several meshes may have one network. */
function sortPairs(networks: readonly LanNetwork[]): LanNetwork[] {
  const meshes = [...new Set(networks.map(({ to }) => to))].sort();
  return meshes.flatMap((mesh) => sortNetworks(networks.filter(({ to }) => to === mesh)));
}

const toKey = ({ name, family }: LanGuard): string => `${name} ${family}`;

const findName = (rule: Rule, key: string): string | undefined =>
  rule.flatMap((phrase) => (phrase.startsWith(`${key} "`) ? [phrase.slice(key.length + 2, -1)] : []))[0];
