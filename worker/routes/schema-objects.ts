// zod to the JSON Schema of OpenAPI 3.1. A schema with an `id` in its metadata is described once, among the components, and referred to.
import { z } from "zod";

export type SchemaObject = Readonly<Record<string, unknown>>;

export interface SchemaObjects {
  /** @param io what a client sends ("input"), or what becomes of it: a query's `force` is text that means a boolean ("output") */
  of(schema: z.ZodType, io?: "input" | "output"): SchemaObject;
  /** By id, in the order of the alphabet: every component that was referred to. */
  components(): Record<string, SchemaObject>;
}

export function createSchemaObjects(): SchemaObjects {
  const components = new Map<string, SchemaObject>();
  return {
    of(schema, io = "input") {
      const json = z.toJSONSchema(schema, { io, override: simplify });
      const {
        $schema,
        $defs = {},
        ...object
      } = retarget(json) as SchemaObject & { $defs?: Record<string, SchemaObject> };
      for (const [id, component] of Object.entries($defs)) components.set(id, component);
      return object;
    },
    components: () => Object.fromEntries([...components].sort(([left], [right]) => left.localeCompare(right))),
  };
}

/** Leaves out what zod adds and no reader needs: the pattern of a date, and the bounds of every integer. */
function simplify({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

const retarget = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
