// Where packets that came in on an interface may leave again, as nft rules: one chain for each guarded interface. Pure.
//
// `net.ipv4.conf.IF.forwarding` is about where packets come from, and says nothing of where they go. What a chain of ours drops is gone,
// whatever other tables accept; what it lets pass has still to pass theirs.
import { type Chain, parseNftList, type Rule } from "./nft-list.ts";
import { renderChainRemoval, TABLE } from "./nft-table.ts";

const PREFIX = "forward-";

/** One transaction. @param to interfaces; none: what came in on this one leaves nowhere */
export function renderGuard(interfaceName: string, to: readonly string[]): string {
  const { hook, priority, rules } = toChain(interfaceName, to);
  return [
    `${renderGuardRemoval(interfaceName)}table inet ${TABLE} {`,
    `  chain ${PREFIX}${interfaceName} {`,
    `    type filter hook ${hook} priority ${priority}; policy accept;`,
    ...rules.map((phrases) => `    ${phrases.join(" ")}`),
    "  }\n}\n",
  ].join("\n");
}

export const renderGuardRemoval = (interfaceName: string): string => renderChainRemoval(`${PREFIX}${interfaceName}`);

/**
 * From what `nft -j list table inet becket` prints: where what came in on an interface may leave. A chain that is not as renderGuard writes
 * it guards nothing. Throws a ParseError for what is no list.
 */
export function parseGuards(json: string): Map<string, readonly string[]> {
  return new Map(
    [...parseNftList(json)].flatMap(([name, chain]) => {
      if (!name.startsWith(PREFIX)) return [];
      const interfaceName = name.slice(PREFIX.length);
      const to = chain.rules.flat().flatMap(toPlaces).sort();
      return toText(chain) === toText(toChain(interfaceName, to)) ? [[interfaceName, to] as const] : [];
    }),
  );
}

function toChain(interfaceName: string, to: readonly string[]): Chain {
  const names = to.map((name) => `"${name}"`);
  const allowed = names.length > 1 ? `{ ${names.join(", ")} }` : names.join();
  const isElsewhere = names.length === 0 ? [] : [`oifname != ${allowed}`];
  return { hook: "forward", priority: 0, rules: [[`iifname "${interfaceName}"`, ...isElsewhere, "drop"]] };
}

/** nft lists the names of a set in an order of its own. */
function toText({ rules, ...chain }: Chain): string {
  const sort = (phrase: string) => (phrase.startsWith(OUT) ? OUT + toPlaces(phrase).sort().join() : phrase);
  return JSON.stringify([chain.hook, chain.priority, rules.map((rule: Rule) => rule.map(sort))]);
}

const OUT = "oifname != ";

const toPlaces = (phrase: string): string[] =>
  phrase.startsWith(OUT) ? [...phrase.matchAll(/"([^"]*)"/g)].map(([, name = ""]) => name) : [];
