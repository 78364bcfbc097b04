// What programs that mean no good send, for property tests: values that are wrong, and values that follow a JSON Schema but for a part of them.
// fast-check prints the seed of what fails; BECKET_FUZZ_SEED runs it again, BECKET_FUZZ_RUNS runs more.
import { env } from "cloudflare:workers";
import fc from "fast-check";

const seed = Number(env.BECKET_FUZZ_SEED ?? "");
if (seed !== 0) fc.configureGlobal({ seed });

/** @param usual as many as `npm test` has time for; BECKET_FUZZ_RUNS is a factor */
export const fuzzRuns = (usual: number): number => usual * Number(env.BECKET_FUZZ_RUNS || "1");

export const hostileText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ maxLength: 300 }),
  fc.constantFrom("", "..", "../../", "%00", "%", "%E0%A4%A", "\u0000", "null", "__proto__", "constructor", "toString"),
  fc.constantFrom("1e999", "-0", "0x10", "9007199254740993", "Infinity", "'; DROP TABLE machines; --", "' OR 1=1 --"),
  // A lone surrogate, text that turns round, a letter under a heap of accents, a name in full-width letters, letters of other alphabets.
  fc.constantFrom(
    "\ud800",
    "\u202egnp.exe",
    `e${"\u0301".repeat(60)}`,
    "ｏｆｆｉｃｅ",
    "оffice",
    "🦊".repeat(40),
    "x".repeat(5_000),
  ),
);

const hostileNumber = fc.constantFrom(-1, 0.5, -0, 2 ** 31, 2 ** 32, 2 ** 53, 1e21, 1e308, -1e308, 5e-324);

/** Names that mean something to JavaScript, as own keys: `JSON.parse` makes them so. */
const POLLUTING = [
  '{"__proto__":{"role":"owner","isAllowed":true}}',
  '{"constructor":{"prototype":{"role":"owner"}}}',
  '{"toString":null,"valueOf":null,"hasOwnProperty":1}',
].map((text): unknown => JSON.parse(text));

const deep = (levels: number, isArray: boolean): unknown => {
  let value: unknown = null;
  for (let level = 0; level < levels; level++) value = isArray ? [value] : { a: value };
  return value;
};
const ID_TEXTS = [
  "mch_01arz3ndektsv4rrffq69g5fav",
  "msh_01arz3ndektsv4rrffq69g5fav",
  "mch_",
  "MSH_01ARZ3NDEKTSV4RRFFQ69G5FAV",
];
const DEEP = [deep(1_500, true), deep(1_500, false)];

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, true, [], {}, ...POLLUTING),
  fc.constantFrom(...DEEP, ...ID_TEXTS),
);

/** Bodies that are no JSON, too long, too deep, or no UTF-8. */
export const hostileBody = fc.oneof(
  hostileText,
  hostileValue.map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom("[".repeat(60_000), `{"a":${"1".repeat(70_000)}}`, `{"name":"a","name":"b"}`, "{}{}", "\ufeff{}"),
);

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface SchemaOptions {
  /** What `$ref`s point to. */
  resolve?(ref: string): JsonSchema;
  /** For texts, whatever the schema says of them: ids that exist and ids that don't. */
  readonly texts?: readonly string[];
  /** Of a hundred parts, those that are replaced by something hostile. */
  readonly hostilePercent?: number;
}

/** Values that the schema describes, parts of which are hostile. Not every value keeps to every word of the schema. */
export function arbitraryOf(schema: JsonSchema, options: SchemaOptions = {}, depth = 0): fc.Arbitrary<unknown> {
  const { hostilePercent = 4 } = options;
  const valid = toArbitrary(schema, options, depth);
  return fc.oneof(
    { weight: 100 - hostilePercent, arbitrary: valid },
    { weight: hostilePercent, arbitrary: hostileValue },
  );
}

function toArbitrary(schema: JsonSchema, options: SchemaOptions, depth: number): fc.Arbitrary<unknown> {
  const of = (value: unknown) => arbitraryOf(value as JsonSchema, options, depth + 1);
  if (typeof schema.$ref === "string") return toArbitrary(options.resolve?.(schema.$ref) ?? {}, options, depth);
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown>(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return fc.oneof(...choices.map(of));
  if (depth > 8) return fc.constant(null);
  if (schema.type === "object") return toObject(schema, options, of);
  if (schema.type === "array") return fc.array(of(schema.items ?? {}), { maxLength: 3 });
  if (schema.type === "string") return toText(schema, options);
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "null") return fc.constant(null);
  if (schema.type === "number" || schema.type === "integer") return toNumber(schema);
  return hostileValue;
}

function toObject(
  schema: JsonSchema,
  { hostilePercent = 4 }: SchemaOptions,
  of: (value: unknown) => fc.Arbitrary<unknown>,
) {
  const fields = Object.entries((schema.properties ?? {}) as JsonSchema).map(
    ([name, field]) => [name, of(field)] as const,
  );
  const required = (schema.required ?? []) as string[];
  const whole = fc.record(Object.fromEntries(fields), { requiredKeys: required });
  const partial = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  const more = fc.dictionary(hostileText, hostileValue, { maxKeys: 2 });
  return fc.oneof(
    { weight: 90, arbitrary: whole },
    { weight: hostilePercent, arbitrary: partial },
    { weight: hostilePercent, arbitrary: fc.tuple(whole, more).map(([object, others]) => ({ ...object, ...others })) },
  );
}

function toText(schema: JsonSchema, { texts = [] }: SchemaOptions): fc.Arbitrary<unknown> {
  const { examples = [], pattern: source } = schema as { examples?: readonly unknown[]; pattern?: string };
  // Of the ids those of its own kind: the wrong ones come as parts that are replaced.
  const known = [...examples, ...(source === undefined ? [] : texts.filter((text) => new RegExp(source).test(text)))];
  const pattern = source === undefined ? null : matching(source);
  return fc.oneof(...(known.length === 0 ? [] : [{ weight: 6, arbitrary: fc.constantFrom(...known) }]), {
    weight: 2,
    arbitrary: pattern ?? fc.string({ maxLength: 20 }),
  });
}

const patterns = new Map<string, fc.Arbitrary<unknown> | null>();
function matching(pattern: string): fc.Arbitrary<unknown> | null {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  let made: fc.Arbitrary<unknown> | null = null;
  try {
    made = fc.stringMatching(new RegExp(pattern));
  } catch {
    // fast-check can't make what some assertions ask for: any text instead.
  }
  patterns.set(pattern, made);
  return made;
}

function toNumber({ type, minimum = 0, maximum = 1_000 }: JsonSchema): fc.Arbitrary<unknown> {
  const [min, max] = [Number(minimum), Number(maximum)];
  const inside =
    type === "integer"
      ? fc.integer({ min, max: Math.max(min, max) })
      : fc.double({ min, max: Math.max(min, max), noNaN: true });
  return fc.oneof(
    { weight: 4, arbitrary: inside },
    { weight: 1, arbitrary: fc.constantFrom(min - 1, max + 1, min, max) },
  );
}
