// What every answer keeps to, whatever was asked: no crash, a problem document for an error, and nothing in it that is not the caller's business.
import { expect } from "vitest";
import { Problem } from "#schema/api/operation";
import type { ErrorCode } from "#schema/errors";

/** A machine that is asked and is not there: no fault of the control plane's. */
const NO_FAULTS: ReadonlySet<ErrorCode> = new Set(["machine_offline", "machine_silent"]);

/** Of stacks, SQL, libraries and files. */
const INTERNALS = [
  /\bat \S+ \(?\S+:\d+:\d+/,
  /\b(SELECT|DELETE) .{0,200}\bFROM\b|\bINSERT INTO\b|\bUPDATE .{1,80} SET\b|\bparams:/i,
  /SQLITE|D1_|drizzle|hono|zod|node_modules|workerd|\.ts:\d|TypeError|RangeError|ReferenceError|SyntaxError/,
];

export function expectNothingInside(text: string, secrets: readonly string[]): void {
  for (const pattern of INTERNALS) expect(text).not.toMatch(pattern);
  for (const secret of secrets)
    expect(text.includes(secret), `the answer has the secret ${secret.slice(0, 8)}…`).toBe(false);
}

/** @param secrets that no error may repeat */
export async function expectSound(response: Response, secrets: readonly string[] = []): Promise<void> {
  if (response.status < 400) return;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const text = await response.text();
  const { status, code, requestId } = Problem.strict().parse(JSON.parse(text));
  expect(status).toBe(response.status);
  expect(status < 500 || NO_FAULTS.has(code), `${status} ${code}`).toBe(true);
  expect(requestId).toBe(response.headers.get("x-request-id") ?? requestId);
  expectNothingInside(text, secrets);
}
