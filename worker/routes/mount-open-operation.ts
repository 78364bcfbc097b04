// Mounts an operation that needs no authentication: those of signing in and out, which browsers call and which may set a cookie.
import type { Operation } from "#schema/api/operation";
import { ok, type Result } from "#schema/result";
import { type Cookie, readCookie, renderCookie } from "../auth/cookies.ts";
import { checkOrigin, originOf } from "../auth/origin.ts";
import type { Failure } from "../failure.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { type Api, type Call, parseInput, type ReplyOf, toRoutePath } from "./mount-operation.ts";

export interface OpenCall<O extends Operation> extends Pick<Call<O>, "query" | "body"> {
  readonly browser: Browser;
}

export interface Browser {
  readonly headers: Headers;
  readonly requestId: string;
  readonly userAgent: string | null;
  /** The session's cookie, good or not. */
  readonly session: string | null;
}

export interface OpenAnswer<Reply> {
  readonly reply: Reply;
  readonly cookie?: Cookie;
}

export type OpenHandler<O extends Operation> = (
  call: OpenCall<O>,
) => Promise<Result<OpenAnswer<ReplyOf<O>>, Failure<O["errors"][number] | "rate_limited">>>;

export function mountOpenOperation<const O extends Operation>(
  api: Api,
  services: Services,
  operation: O,
  handler: OpenHandler<O>,
): void {
  api.on(operation.method, toRoutePath(operation.path), async (context) => {
    const request = context.req.raw;
    const { requestId } = context.env;
    const outcome = await perform(request, requestId);
    if (!outcome.ok) return toProblemResponse(outcome.error, requestId);
    const { reply, cookie } = outcome.value;
    const headers = cookie === undefined ? {} : { "set-cookie": renderCookie(originOf(services, request), cookie) };
    if (operation.status === 204) return new Response(null, { status: 204, headers });
    return Response.json(reply, { status: operation.status, headers });
  });

  async function perform(request: Request, requestId: string): Promise<Result<OpenAnswer<ReplyOf<O>>, Failure>> {
    const origin = checkOrigin(services, request);
    if (!origin.ok) return origin;
    const input = await parseInput(operation, request, {});
    if (!input.ok) return input;
    const call = { ...input.value, browser: toBrowser(services, request, requestId) } as unknown as OpenCall<O>;
    const result = await handler(call);
    return result.ok ? ok(result.value) : result;
  }
}

export const toBrowser = (services: Pick<Services, "origin">, request: Request, requestId: string): Browser => ({
  headers: request.headers,
  requestId,
  userAgent: request.headers.get("user-agent"),
  session: readCookie(originOf(services, request), request, "session"),
});
