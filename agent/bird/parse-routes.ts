// `show route all`, with or without `filtered`. Pure. BIRD 2 writes `BGP.as_path`, BIRD 3 `bgp_path`: both are read.
import { type BirdReply, parseTime, type ReplyLine, toParseError } from "./parse-reply.ts";

export interface BirdRoute {
  readonly prefix: string;
  /** Where packets go. Null: nowhere, as for what this machine announces. */
  readonly nextHop: string | null;
  readonly interfaceName: string | null;
  /** Which protocol of ours brought it. */
  readonly protocol: string;
  readonly sinceMs: number;
  /** Null for routes that did not come by BGP. */
  readonly bgp: BgpAttributes | null;
  readonly isBest: boolean;
  /** An import filter refused it: it is remembered and not used. */
  readonly isFiltered: boolean;
}

export interface BgpAttributes {
  /** What the announcement named: the member that it comes from. */
  readonly nextHop: string | null;
  /** The nearest first; empty inside one mesh. Sets stay in braces. */
  readonly asPath: readonly string[];
  readonly localPreference: number | null;
  readonly med: number | null;
  /** `65000:100`, and with three parts the large ones. */
  readonly communities: readonly string[];
}

const ROUTE_CODE = 1007;
const ROUTE = /^(\S+)?\s+\w+ \[(\S+) ([\d.]+)(?: from \S+)?\] (\* )?(?:! )?\(\d+/;

export function parseRoutes(reply: BirdReply, { areFiltered }: { readonly areFiltered: boolean }): BirdRoute[] {
  const routes: { prefix: string; head: RegExpExecArray; line: ReplyLine; details: string[] }[] = [];
  let prefix = "";
  for (const line of reply.lines) {
    const head = line.code === ROUTE_CODE ? ROUTE.exec(line.text) : null;
    if (head !== null) {
      // Further routes to the same prefix leave it out.
      prefix = head[1] ?? prefix;
      routes.push({ prefix, head, line, details: [] });
    } else if (/^\t/.test(line.text)) routes.at(-1)?.details.push(line.text.trim());
    else if (line.text !== "" && !/^Table \S+:$/.test(line.text)) throw toParseError(line, "no route");
  }
  return routes.map(({ prefix, head, line, details }) => {
    const via = details.map((text) => /^(?:via (\S+) on|dev) (\S+)/.exec(text)).find((match) => match !== null);
    return {
      prefix,
      nextHop: via?.[1] ?? null,
      interfaceName: via?.[2] ?? null,
      protocol: head[2] ?? "",
      sinceMs: parseTime(head[3], line),
      bgp: parseAttributes(details),
      isBest: head[4] !== undefined && !areFiltered,
      isFiltered: areFiltered,
    };
  });
}

function parseAttributes(details: readonly string[]): BgpAttributes | null {
  const values = new Map<string, string>();
  for (const text of details) {
    const match = /^(?:BGP\.|bgp_)(\w+):\s*(.*)$/.exec(text);
    if (match !== null) values.set(match[1] ?? "", match[2] ?? "");
  }
  if (values.size === 0) return null;
  const path = values.get("as_path") ?? values.get("path") ?? "";
  const toNumber = (text: string | undefined) => (text === undefined ? null : Number(text));
  return {
    // With IPv6, a link-local address may follow.
    nextHop: values.get("next_hop")?.split(" ")[0] ?? null,
    asPath: path.match(/\{[^}]*\}|\S+/g) ?? [],
    localPreference: toNumber(values.get("local_pref")),
    med: toNumber(values.get("med")),
    communities: [...toCommunities(values.get("community")), ...toCommunities(values.get("large_community"))],
  };
}

const toCommunities = (text = ""): string[] =>
  [...text.matchAll(/\(([\d, ]+)\)/g)].map((match) => (match[1] ?? "").split(/,\s*/).join(":"));
