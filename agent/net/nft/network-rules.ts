// Prefixes as nft's conditions, in the order in which rules ask for them: the longest first, so that the most exact one decides. Pure.
import { isIpv6Prefix, type Prefix } from "#schema/prefix";

type Side = "saddr" | "daddr";

/** `ip daddr 192.168.7.0/24`; a single host as nft lists it, without its length. */
export function toPhrase(prefix: Prefix, side: Side): string {
  const isIpv6 = isIpv6Prefix(prefix);
  const text = prefix.endsWith(isIpv6 ? "/128" : "/32") ? prefix.slice(0, prefix.indexOf("/")) : prefix;
  return `${isIpv6 ? "ip6" : "ip"} ${side} ${text}`;
}

/** None when it is another phrase. */
export function parsePhrase(phrase: string, side: Side): Prefix[] {
  const [, family, address, length] = PHRASES[side].exec(phrase) ?? [];
  if (address === undefined) return [];
  return [`${address}/${length ?? (family === "ip6" ? 128 : 32)}` as Prefix];
}

const PHRASES = {
  saddr: /^(ip6?) saddr ([^/\s]+)(?:\/(\d+))?$/,
  daddr: /^(ip6?) daddr ([^/\s]+)(?:\/(\d+))?$/,
} as const;

/** Each prefix once (the first one's), the longest first. */
export function sortNetworks<T extends { readonly prefix: Prefix }>(networks: readonly T[]): T[] {
  const byPrefix = new Map([...networks].reverse().map((network) => [network.prefix, network]));
  return [...byPrefix.values()].sort(
    (a, b) => toLength(b.prefix) - toLength(a.prefix) || (a.prefix < b.prefix ? -1 : Number(a.prefix > b.prefix)),
  );
}

const toLength = (prefix: Prefix): number => Number(prefix.split("/")[1]);
