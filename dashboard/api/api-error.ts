// Why a call failed, in the words of the problem document, or of the network.
import { Problem } from "#schema/api/operation";
import type { ErrorCode } from "#schema/errors";

export class ApiError extends Error {
  override readonly name = "ApiError";
  /** 0: there was no answer. */
  readonly status: number;
  /** `no_answer`: the control plane could not be reached. `not_understood`: it said what this page does not know. */
  readonly code: ErrorCode | "no_answer" | "not_understood";
  readonly requestId: string | null;
  readonly detail: string | null;
  readonly fields: readonly { readonly path: string; readonly message: string }[];

  constructor(
    title: string,
    facts: Partial<Pick<ApiError, "status" | "requestId" | "detail" | "fields" | "cause">> & Pick<ApiError, "code">,
  ) {
    super(title, { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status ?? 0;
    this.requestId = facts.requestId ?? null;
    this.detail = facts.detail ?? null;
    this.fields = facts.fields ?? [];
  }
}

export const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;

/** True where asking again can help by itself. */
export const isPassing = (error: unknown): boolean =>
  isApiError(error) && (error.code === "no_answer" || error.code === "unavailable" || error.code === "rate_limited");

/** The problem that an answer tells; a proxy in front may also answer with something else. */
export function toApiError(status: number, body: unknown, requestId: string | null): ApiError {
  const problem = Problem.safeParse(body);
  if (!problem.success) {
    return new ApiError(`The control plane answered ${status}`, { code: "not_understood", status, requestId });
  }
  const { title, code, detail, errors } = problem.data;
  return new ApiError(title, {
    code,
    status,
    requestId: problem.data.requestId,
    detail: detail ?? null,
    fields: errors ?? [],
  });
}

/** What is wrong with each field of a form, by its name: `cidr` → "must be a network of /8 to /30". */
export function toFieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!isApiError(error)) return {};
  return Object.fromEntries(error.fields.map(({ path, message }) => [path, message]));
}
