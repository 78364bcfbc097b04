// Where packets that came in on an interface of ours may leave again, as nft rules: chains of its own for each guarded interface. Pure.
//
// `net.ipv4.conf.IF.forwarding` is about where packets come from, and says nothing of where they go. What a chain of ours drops is gone,
// whatever other tables accept; what it lets pass has still to pass theirs.
//
//   forward-IF  keeps in what may not leave: to the interfaces that are named, or to the announced networks by any that is no mesh's
//   mss-IF      TCP learns that packets through the mesh are smaller than the network's, where path MTU discovery is blocked
//   nat-IF      into networks that have no way back to the mesh: from the machine's own address there
import type { Prefix } from "#schema/prefix";
import { INTERFACE_PREFIX } from "../interface-name.ts";
import { parsePhrase, sortNetworks, toPhrase } from "./network-rules.ts";
import { type Chain, parseNftList, type Rule } from "./nft-list.ts";
import { renderChain, renderChainRemoval, TABLE } from "./nft-table.ts";

export interface Forwarding {
  /** Interfaces by which what came in on this one may leave. */
  readonly to: readonly string[];
  /** Where it may go by any interface that is no mesh's. */
  readonly networks: readonly ForwardedNetwork[];
}

export interface ForwardedNetwork {
  readonly prefix: Prefix;
  readonly isMasquerading: boolean;
}

const KINDS = ["forward", "mss", "nat"] as const;
const OF_NO_MESH = `oifname != "${INTERFACE_PREFIX}*"`;

/** One transaction. With neither places nor networks: what came in on this one leaves nowhere. */
export function renderGuard(interfaceName: string, forwarding: Forwarding): string {
  const chains = [...toChains(interfaceName, forwarding)].map(([name, chain]) => renderChain(name, chain));
  return `${renderGuardRemoval(interfaceName)}table inet ${TABLE} {\n${chains.join("\n")}\n}\n`;
}

export const renderGuardRemoval = (interfaceName: string): string =>
  KINDS.map((kind) => renderChainRemoval(`${kind}-${interfaceName}`)).join("");

/**
 * From what `nft -j list table inet becket` prints: where what came in on an interface may leave. Chains that are not as renderGuard writes
 * them guard nothing. Throws a ParseError for what is no list.
 */
export function parseGuards(json: string): Map<string, Forwarding> {
  const listed = parseNftList(json);
  return new Map(
    [...listed.keys()].flatMap((name) => {
      if (!name.startsWith("forward-")) return [];
      const interfaceName = name.slice("forward-".length);
      const found = parseForwarding(interfaceName, listed);
      const own = KINDS.map((kind) => `${kind}-${interfaceName}`);
      const there = new Map([...listed].filter(([chain]) => own.includes(chain)));
      return toText(there) === toText(toChains(interfaceName, found)) ? [[interfaceName, found] as const] : [];
    }),
  );
}

export const isSameForwarding = (left: Forwarding, right: Forwarding): boolean =>
  toText(toChains("", left)) === toText(toChains("", right));

function toChains(interfaceName: string, { to, networks }: Forwarding): Map<string, Chain> {
  const cameIn = `iifname "${interfaceName}"`;
  const sorted = sortNetworks(networks);
  const names = to.map((name) => `"${name}"`);
  const allowed = names.length > 1 ? `{ ${names.join(", ")} }` : names.join();
  const isElsewhere = names.length === 0 ? [] : [`${OUT}${allowed}`];
  const ruleOf = (prefix: Prefix, verdict: string): Rule => [cameIn, OF_NO_MESH, toPhrase(prefix, "daddr"), verdict];
  const forward: Chain = {
    ...{ hook: "forward", priority: 0 },
    rules: [...sorted.map(({ prefix }) => ruleOf(prefix, "accept")), [cameIn, ...isElsewhere, "drop"]],
  };
  // Before priority 0: the size is not for a filter to see.
  const mss: Chain = {
    ...{ hook: "forward", priority: -150 },
    rules: [cameIn, `oifname "${interfaceName}"`].map((through) => [through, ...CLAMP]),
  };
  const nat: Chain = {
    ...{ type: "nat", hook: "postrouting", priority: 100 },
    rules: sorted.map(({ prefix, isMasquerading }) => ruleOf(prefix, isMasquerading ? "masquerade" : "accept")),
  };
  return new Map([
    [`forward-${interfaceName}`, forward],
    ...(sorted.length === 0 ? [] : [[`mss-${interfaceName}`, mss] as const]),
    ...(sorted.some(({ isMasquerading }) => isMasquerading) ? [[`nat-${interfaceName}`, nat] as const] : []),
  ]);
}

const CLAMP: Rule = ["tcp flags syn", "tcp option maxseg size set rt mtu"];

function parseForwarding(interfaceName: string, chains: ReadonlyMap<string, Chain>): Forwarding {
  const rulesOf = (kind: string) => chains.get(`${kind}-${interfaceName}`)?.rules ?? [];
  const masqueraded = new Set(
    rulesOf("nat").flatMap((rule) =>
      rule.includes("masquerade") ? rule.flatMap((phrase) => parsePhrase(phrase, "daddr")) : [],
    ),
  );
  const accepted = rulesOf("forward").filter((rule) => rule.includes("accept"));
  const prefixes = accepted.flatMap((rule) => rule.flatMap((phrase) => parsePhrase(phrase, "daddr")));
  const dropping = rulesOf("forward").filter((rule) => rule.includes("drop"));
  return {
    to: dropping.flat().flatMap(toPlaces).sort(),
    networks: prefixes.map((prefix) => ({ prefix, isMasquerading: masqueraded.has(prefix) })),
  };
}

/** nft lists the names of a set in an order of its own. */
function toText(chains: ReadonlyMap<string, Chain>): string {
  const sort = (phrase: string) => (phrase.startsWith(OUT) ? OUT + toPlaces(phrase).sort().join() : phrase);
  const sorted = [...chains].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    sorted.map(([name, { type = "filter", hook, priority, rules }]) => [
      ...[name, type, hook, priority],
      rules.map((rule: Rule) => rule.map(sort)),
    ]),
  );
}

const OUT = "oifname != ";

const toPlaces = (phrase: string): string[] =>
  phrase.startsWith(OUT) ? [...phrase.matchAll(/"([^"]*)"/g)].map(([, name = ""]) => name) : [];
