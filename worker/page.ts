// Pages over identifiers: they sort by time of creation, so the last one of a page is the cursor of the next.
import { base64url } from "jose";
import type { z } from "zod";
import { err, ok, type Result } from "#schema/result";
import type { Failure } from "./failure.ts";

export interface PageRequest<Id extends string> {
  readonly after: Id | null;
  readonly limit: number;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The cursor is opaque to clients: the last identifier, encoded. */
export function parsePageRequest<IdSchema extends z.ZodType<string>>(
  query: PageQuery,
  id: IdSchema,
): Result<PageRequest<z.output<IdSchema>>, Failure<"cursor_invalid">> {
  if (query.cursor === undefined) return ok({ after: null, limit: query.limit });
  const parsed = id.safeParse(decodeCursor(query.cursor));
  return parsed.success ? ok({ after: parsed.data, limit: query.limit }) : err({ code: "cursor_invalid" });
}

function decodeCursor(cursor: string): string {
  try {
    return new TextDecoder().decode(base64url.decode(cursor));
  } catch {
    // Not base64url: no identifier either, so the caller's check refuses it.
    return "";
  }
}

/** @param rows up to limit + 1 rows: the one too many says that there is a next page */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { idOf, toItem }: { idOf: (row: Row) => string; toItem: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    nextCursor: rows.length > limit && last !== undefined ? base64url.encode(idOf(last)) : null,
  };
}
