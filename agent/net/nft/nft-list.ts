// What `nft -j list table` prints (libnftables-json(5), schema version 1), back in the phrases that rules are written in.
import { z } from "zod";
import { ParseError } from "../../system/parse-error.ts";

/** One condition, change or verdict each, in nft's words: `udp sport 40001`, `udp sport set 51820`, `drop`. */
export type Rule = readonly string[];

export interface Chain {
  /** Left out: `filter`. */
  readonly type?: "filter" | "nat";
  readonly hook: string;
  readonly priority: number;
  readonly rules: readonly Rule[];
}

const Field = z.object({ payload: z.object({ protocol: z.string(), field: z.string() }) });
const RawBits = z.object({ payload: z.object({ base: z.string(), offset: z.number(), len: z.number() }) });
const TcpOption = z.object({ "tcp option": z.object({ name: z.string(), field: z.string() }) });
const Fib = z.object({ fib: z.object({ result: z.string(), flags: z.array(z.string()) }) });
const Meta = z.object({ meta: z.object({ key: z.string() }) });
const Literal = z.union([z.string(), z.number()]);
const Network = z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) });
const Names = z.union([z.string(), z.object({ set: z.array(z.string()) })]);

const matchOf = <L extends z.ZodType, R extends z.ZodType>(left: L, right: R) =>
  z.object({ match: z.object({ op: z.literal("=="), left, right }) });

const hexOf = (len: number) => (value: number) => `0x${value.toString(16).padStart(len / 4, "0")}`;

const Phrase = z.union([
  matchOf(Field, Literal).transform(({ match }) => {
    const { protocol, field } = match.left.payload;
    return `${protocol} ${field} ${match.right}`;
  }),
  matchOf(Field, Network).transform(({ match }) => {
    const { protocol, field } = match.left.payload;
    const { addr, len } = match.right.prefix;
    return `${protocol} ${field} ${addr}/${len}`;
  }),
  z
    .object({ match: z.object({ op: z.literal("in"), left: Field, right: z.string() }) })
    .transform(({ match: { left, right } }) => `${left.payload.protocol} ${left.payload.field} ${right}`),
  matchOf(z.object({ meta: z.object({ key: z.literal("nfproto") }) }), z.string()).transform(
    ({ match }) => `meta nfproto ${match.right}`,
  ),
  matchOf(Fib, Literal).transform(({ match }) => {
    const { result, flags } = match.left.fib;
    return `fib ${flags.join(" . ")} ${result} ${match.right}`;
  }),
  matchOf(RawBits, z.number()).transform(({ match }) => {
    const { base, offset, len } = match.left.payload;
    return `@${base},${offset},${len} ${hexOf(len)(match.right)}`;
  }),
  matchOf(RawBits, z.object({ set: z.array(z.number()) })).transform(({ match }) => {
    const { base, offset, len } = match.left.payload;
    return `@${base},${offset},${len} { ${match.right.set.map(hexOf(len)).join(", ")} }`;
  }),
  z
    .object({ match: z.object({ op: z.enum(["==", "!="]), left: Meta, right: Names }) })
    .transform(({ match: { op, left, right } }) => {
      const names = typeof right === "string" ? `"${right}"` : `{ ${right.set.map((name) => `"${name}"`).join(", ")} }`;
      return `${left.meta.key} ${op === "!=" ? "!= " : ""}${names}`;
    }),
  z.object({ drop: z.null() }).transform(() => "drop"),
  z.object({ accept: z.null() }).transform(() => "accept"),
  z.object({ masquerade: z.null() }).transform(() => "masquerade"),
  z
    .object({ mangle: z.object({ key: TcpOption, value: z.object({ rt: z.object({ key: z.string() }) }) }) })
    .transform(({ mangle: { key, value } }) => {
      const { name, field } = key["tcp option"];
      return `tcp option ${name} ${field} set rt ${value.rt.key}`;
    }),
  z.object({ mangle: z.object({ key: Field, value: Literal }) }).transform(({ mangle }) => {
    const { protocol, field } = mangle.key.payload;
    return `${protocol} ${field} set ${mangle.value}`;
  }),
  // What we never write. Its words match nothing of ours.
  z.unknown().transform((other) => JSON.stringify(other)),
]);

const NftList = z.object({
  nftables: z.array(
    z.union([
      z.object({
        chain: z.object({
          name: z.string(),
          type: z.string().default("filter"),
          hook: z.string().default(""),
          prio: z.number().default(0),
        }),
      }),
      z.object({ rule: z.object({ chain: z.string(), expr: z.array(Phrase) }) }),
      z.looseObject({}).transform(() => ({})),
    ]),
  ),
});

/** The chains of the table by name. Throws a ParseError when the text is no such list. */
export function parseNftList(json: string): Map<string, Chain> {
  const chains = new Map<string, Chain & { rules: Rule[] }>();
  for (const entry of parse(json).nftables) {
    if ("chain" in entry) {
      const { name, type, hook, prio } = entry.chain;
      chains.set(name, { ...(type === "nat" ? { type } : {}), hook, priority: prio, rules: [] });
    }
    if ("rule" in entry) chains.get(entry.rule.chain)?.rules.push(entry.rule.expr);
  }
  return chains;
}

function parse(json: string): z.infer<typeof NftList> {
  try {
    return NftList.parse(JSON.parse(json));
  } catch (cause) {
    throw new ParseError({ source: "nft -j list table", line: 1, text: json, problem: "is no list" }, { cause });
  }
}
