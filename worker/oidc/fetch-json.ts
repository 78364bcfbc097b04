// Requests to the provider: bounded in time and size, and never redirected to another host than the configuration or the discovery named.
import { err, ok } from "#schema/result";
import { readBytes } from "../middleware/read-body.ts";
import type { OidcResult } from "./failure.ts";

export type OutboundFetch = (request: Request) => Promise<Response>;

export const OUTBOUND_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1024;

export interface JsonAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** @param what names the request in the log */
export async function fetchJson(
  fetch: OutboundFetch,
  what: string,
  url: string,
  init: RequestInit = {},
): Promise<OidcResult<JsonAnswer>> {
  const headers = new Headers(init.headers);
  headers.set("accept", "application/json");
  const signal = AbortSignal.timeout(OUTBOUND_TIMEOUT_MS);
  let status: number;
  let bytes: Uint8Array | null;
  try {
    const response = await fetch(new Request(url, { ...init, headers, redirect: "manual", signal }));
    status = response.status;
    bytes = await readBytes(response, MAX_ANSWER_BYTES);
  } catch (error) {
    // Another host's failure is expected; what fetch says of it names that host and no secret.
    return err({ code: "provider_unavailable", reason: `${what}: ${String(error)}` });
  }
  if (status >= 500) return err({ code: "provider_unavailable", reason: `${what}: status ${status}` });
  if (bytes === null) return err({ code: "provider_invalid", reason: `${what}: the answer is too large` });
  try {
    return ok({ status, value: JSON.parse(new TextDecoder().decode(bytes)) });
  } catch {
    // What the parser says may hold a piece of the answer.
    return err({ code: "provider_invalid", reason: `${what}: status ${status}, and no JSON` });
  }
}
