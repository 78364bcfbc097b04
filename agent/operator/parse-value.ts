// What somebody wrote for a field, as the API takes it. Pure but for `@file`, which the caller reads.
import { err, ok, type Result } from "#schema/result";
import type { Field } from "./fields.ts";

export const NONE = "none";

/** @param written once, or several times for a list; true or false for a switch */
export function parseValue(field: Field, written: string | boolean | readonly string[]): Result<unknown, string> {
  if (typeof written === "boolean") return ok(field.place === "query" ? String(written) : written);
  const texts = typeof written === "string" ? [written] : written;
  const [text = ""] = texts;
  if (field.isNullable && text === NONE) return ok(null);
  switch (field.kind) {
    case "list":
      return ok(text === NONE ? [] : texts.flatMap((one) => one.split(",").map((part) => part.trim())).filter(Boolean));
    case "number": {
      const number = Number(text);
      return text.trim() !== "" && Number.isFinite(number) ? ok(number) : err("must be a number");
    }
    case "json":
      try {
        return ok(JSON.parse(text));
      } catch {
        return err("must be JSON, or @FILE with JSON in it");
      }
    default:
      return ok(text);
  }
}
