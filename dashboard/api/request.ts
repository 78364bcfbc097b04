// What an operation of schema/api is as an HTTP request. Pure.
import type { z } from "zod";
import type { Operation } from "#schema/api/operation";

type Part<O, Name extends string> = O extends { readonly [Key in Name]: infer S extends z.ZodType }
  ? z.input<S>
  : never;
type Required<O, Name extends string> = [Part<O, Name>] extends [never]
  ? unknown
  : { readonly [Key in Name]: Part<O, Name> };
type Optional<O, Name extends string> = [Part<O, Name>] extends [never]
  ? unknown
  : { readonly [Key in Name]?: Partial<Part<O, Name>> };

/** What a caller of the operation gives. Ids are plain text here: the control plane judges them. */
export type InputOf<O extends Operation> = Required<O, "params"> & Required<O, "body"> & Optional<O, "query">;
export type ReplyOf<O extends Operation> = O extends { readonly reply: infer S extends z.ZodType } ? z.output<S> : null;
export type ItemOf<O extends Operation> = ReplyOf<O> extends { readonly items: readonly (infer Item)[] } ? Item : never;

export interface RequestParts {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface ApiRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * @param token an API token; null: the session's cookie says who asks
 * @param idempotencyKey sent where the operation takes one, so that a repeated click or a lost answer creates nothing twice
 */
export function toRequest(
  operation: Operation,
  { params = {}, query = {}, body }: RequestParts,
  { token, idempotencyKey }: { token: string | null; idempotencyKey?: string },
): ApiRequest {
  const isKeyed = operation.isIdempotencyKeyAccepted === true && idempotencyKey !== undefined;
  return {
    path: `/api/v1${renderPath(operation.path, params)}${renderQuery(query)}`,
    method: operation.method.toUpperCase(),
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(isKeyed ? { "idempotency-key": idempotencyKey } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

function renderPath(template: string, params: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${template} needs ${name}`);
    return encodeURIComponent(String(value));
  });
}

function renderQuery(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
