// Why a request to the control plane did not do what was asked, and whether asking again can help.
import { z } from "zod";
import type { HttpReply, NetworkError } from "../system/http.ts";

export type ApiFailure =
  /** Nothing answered. */
  | { readonly code: "network"; readonly message: string }
  /** It answered a problem document of Becket's. */
  | {
      readonly code: "refused";
      readonly status: number;
      readonly problem: string;
      readonly message: string;
      readonly retryAfterMs: number | null;
    }
  /** Something else answered: a proxy, a captive portal, another server. */
  | {
      readonly code: "foreign";
      readonly status: number;
      readonly message: string;
      readonly retryAfterMs: number | null;
    };

/** The part of a problem document that the agent needs; other servers speak RFC 9457 too, so `code` makes it ours. */
const MachineProblem = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export function toNetworkFailure(error: NetworkError): ApiFailure {
  return { code: "network", message: error.message };
}

/** @param nowMs the time at the control plane */
export function toApiFailure(reply: HttpReply, nowMs: number): ApiFailure {
  const retryAfterMs = parseRetryAfter(reply.headers["retry-after"], nowMs);
  const problem = MachineProblem.safeParse(parseJson(reply.body));
  if (problem.success) {
    const { code, detail, title, errors = [] } = problem.data;
    const whole = detail ?? title ?? code;
    // The detail often says a field's fault already.
    const fields = errors.filter(({ message }) => !whole.includes(message));
    const rest = fields.map(({ path, message }) => `${path} ${message}`).join("; ");
    const message = rest === "" ? whole : `${whole}: ${rest}`;
    return { code: "refused", status: reply.status, problem: code, message, retryAfterMs };
  }
  const message = `the server answered ${reply.status} in a way that no Becket control plane does`;
  return { code: "foreign", status: reply.status, message, retryAfterMs };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is undefined, which no schema here accepts.
    return undefined;
  }
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), as milliseconds from now. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}
