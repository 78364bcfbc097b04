// What a command takes: the parameters, the query and the body of its operation, as arguments and options. Pure.
import { z } from "zod";
import type { Operation } from "#schema/api/operation";

/** What an id refers to; such a field takes a name as well. */
export type Reference = "mesh" | "machine" | "route" | "vip" | "policySet" | "user" | "apiToken" | "rollout";

export interface Field {
  readonly place: "path" | "query" | "body";
  readonly key: string;
  /** Without dashes: `mesh`, `expires-in-seconds`. */
  readonly flag: string;
  readonly kind: "text" | "number" | "boolean" | "list" | "json";
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  /** Takes `none`. */
  readonly isNullable: boolean;
  readonly reference: Reference | null;
  /** A switch that is on unless it is switched off. */
  readonly isOnByDefault: boolean;
  readonly description: string;
}

export interface Fields {
  /** In the order in which they are written. */
  readonly positional: readonly Field[];
  readonly options: readonly Field[];
}

const REFERENCES: readonly [RegExp, Reference][] = [
  [/^meshIds?$/, "mesh"],
  [/^(machineIds?|peerId)$/, "machine"],
  [/^routeId$/, "route"],
  [/^vipId$/, "vip"],
  [/policySetId$/i, "policySet"],
  [/^userId$/, "user"],
  [/^apiTokenId$/, "apiToken"],
  [/^rolloutId$/, "rollout"],
];
/** The API's word for operations on a mesh itself. */
const MESHES = "meshes";
/** Pages are put together; programs that want them one by one have the API. */
const PAGING: ReadonlySet<string> = new Set(["limit", "cursor"]);
const SINGULAR: Readonly<Record<string, string>> = { prefixes: "prefix", communities: "community", tags: "tag" };

/**
 * The thing that a command is about comes as an argument, by name or id: a parameter of its path, or what a new one is called. The mesh that it is
 * in, and everything else, are options.
 */
export function toFields(operation: Operation): Fields {
  const all = [
    ...readShape("path", operation.params),
    ...readShape("query", operation.query).filter(({ key }) => !PAGING.has(key)),
    ...readShape("body", operation.body),
  ];
  const isAboutMesh = operation.tag === MESHES;
  const subject = operation.status === 201 ? findSubject(all) : undefined;
  const positional = all.filter(
    (field) => field === subject || (field.place === "path" && (field.key !== "meshId" || isAboutMesh)),
  );
  return { positional, options: all.filter((field) => !positional.includes(field)) };
}

const findSubject = (fields: readonly Field[]): Field | undefined =>
  fields.find(({ place, key, isRequired }) => place === "body" && isRequired && ["name", "machineId"].includes(key));

const readShape = (place: Field["place"], schema: z.ZodObject | undefined): Field[] =>
  Object.entries(schema?.shape ?? {}).map(([key, field]) => readField(place, key, field as z.ZodType));

interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly description?: string;
  readonly default?: unknown;
}

function readField(place: Field["place"], key: string, schema: z.ZodType): Field {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const follow = (one: JsonSchema): JsonSchema => {
    const target = one.$ref === undefined ? undefined : root.$defs?.[one.$ref.split("/").at(-1) ?? ""];
    return target === undefined ? one : { ...follow(target), ...one };
  };
  const whole = follow(root);
  const variants = (whole.anyOf ?? [whole]).map(follow);
  const isNullable = variants.some(({ type }) => type === "null");
  const value = variants.find(({ type }) => type !== "null") ?? whole;
  // `force=true` in a query is text that says a boolean.
  const isSpokenBoolean = place === "query" && schema.safeParse("true").data === true;
  return {
    place,
    key,
    flag: toFlag(key),
    kind: isSpokenBoolean ? "boolean" : toKind(value, follow),
    choices: value.enum?.every((one) => typeof one === "string") ? value.enum : [],
    isRequired: place === "path" || !schema.safeParse(undefined).success,
    isNullable,
    reference: REFERENCES.find(([pattern]) => pattern.test(key))?.[1] ?? null,
    isOnByDefault: whole.default === true,
    description: whole.description ?? value.description ?? "",
  };
}

function toKind({ type, items, enum: values }: JsonSchema, follow: (one: JsonSchema) => JsonSchema): Field["kind"] {
  if (type === "boolean") return "boolean";
  if (type === "number" || type === "integer") return "number";
  if (type === "string" || values !== undefined) return "text";
  const item = type === "array" && items !== undefined ? follow(items) : null;
  return item?.type === "string" || item?.type === "integer" ? "list" : "json";
}

/** `isDefault` → `default`, `machineIds` → `machine`, `importPolicySetId` → `import-policy-set`. */
const toFlag = (key: string): string =>
  (SINGULAR[key] ?? key)
    .replace(/^is(?=[A-Z])/, "")
    .replace(/Ids?$/, "")
    .replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    .replace(/^-/, "");
