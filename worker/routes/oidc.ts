// The two halves of a sign-in at the provider, as the browser walks through them: away with a cookie that remembers the attempt, and back with
// the provider's answer. Every outcome is a redirect to a page; what went wrong stands there as a code and in the log with its reason.
import { Hono } from "hono";
import { SIGN_IN_PATHS, type SignInError } from "#schema/api/sign-in";
import { AuthorizationReply } from "#schema/oidc";
import { readCookie, renderCookie, renderRemoval } from "../auth/cookies.ts";
import { originOf } from "../auth/origin.ts";
import { ATTEMPT_SECONDS, createAttempt, decodeAttempt, encodeAttempt } from "../oidc/attempt.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { finishOidc, isAnswerTo } from "../sign-in/finish-oidc.ts";
import { parseReturnTo } from "../sign-in/return-to.ts";
import { toBrowser } from "./mount-open-operation.ts";
import type { RequestEnv } from "./mount-operation.ts";

export function createOidcRoutes(services: Services): Hono<RequestEnv> {
  const routes = new Hono<RequestEnv>();
  routes.get(SIGN_IN_PATHS.oidc, ({ req, env }) => begin(services, req.raw, env.requestId));
  routes.get(SIGN_IN_PATHS.oidcCallback, ({ req, env }) => finish(services, req.raw, env.requestId));
  for (const path of [SIGN_IN_PATHS.oidc, SIGN_IN_PATHS.oidcCallback]) {
    routes.all(path, ({ env }) => toProblemResponse({ code: "method_not_allowed" }, env.requestId, { allow: "GET" }));
  }
  return routes;
}

async function begin(services: Services, request: Request, requestId: string): Promise<Response> {
  const { oidc, random } = services;
  if (oidc === null) return refuse(services, requestId, { code: "not_configured" });
  const origin = originOf(services, request);
  const attempt = createAttempt(random, parseReturnTo(new URL(request.url).searchParams.get("returnTo")));
  const url = await oidc.begin(attempt, toRedirectUri(origin));
  if (!url.ok) return refuse(services, requestId, url.error);
  const cookie = { name: "sign_in", value: encodeAttempt(attempt), maxAgeSeconds: ATTEMPT_SECONDS } as const;
  return redirect(url.value, [renderCookie(origin, cookie)]);
}

async function finish(services: Services, request: Request, requestId: string): Promise<Response> {
  const { oidc } = services;
  if (oidc === null) return refuse(services, requestId, { code: "not_configured" });
  const origin = originOf(services, request);
  const attempt = decodeAttempt(readCookie(origin, request, "sign_in"));
  const reply = AuthorizationReply.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  // An answer that is none to this browser's attempt leaves the attempt alone: any page can send the browser here.
  if (attempt === null || !reply.success || !(await isAnswerTo(reply.data, attempt))) {
    return refuse(services, requestId, { code: "attempt_invalid", reason: "no answer to an attempt of this browser" });
  }
  const { userAgent, session } = toBrowser(services, request, requestId);
  const answer = { reply: reply.data, attempt, redirectUri: toRedirectUri(origin), userAgent, replaces: session };
  const removal = renderRemoval(origin, "sign_in");
  // Each code costs a request to the provider.
  if (services.signInLimit.isReached(request.headers)) {
    return refuse(services, requestId, { code: "rate_limited" }, [removal]);
  }
  const cookie = await finishOidc(services, oidc, { ...answer, requestId });
  if (cookie.ok) return redirect(attempt.returnTo, [renderCookie(origin, cookie.value), removal]);
  if (cookie.error.code !== "provider_unavailable") services.signInLimit.countFailure(request.headers);
  return refuse(services, requestId, cookie.error, [removal]);
}

interface Refusal {
  readonly code: SignInError;
  readonly reason?: string;
}

function refuse(
  { log }: Services,
  requestId: string,
  { code, reason }: Refusal,
  cookies: readonly string[] = [],
): Response {
  log.warn("sign-in at the provider failed", { requestId, code, reason });
  return redirect(`${SIGN_IN_PATHS.page}?${new URLSearchParams({ error: code, requestId })}`, cookies);
}

function redirect(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 302, headers });
}

const toRedirectUri = (origin: string): string => origin + SIGN_IN_PATHS.oidcCallback;
