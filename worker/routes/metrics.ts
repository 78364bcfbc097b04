// /metrics, for a Prometheus: with an API token, also a viewer's. A browser's session does not open it, so no page of another site can either.
import { Hono } from "hono";
import { METRICS_CONTENT_TYPES, toMetricsFormat } from "#schema/metrics/metrics-page";
import { err } from "#schema/result";
import { authenticateCaller, readCredential } from "../auth/caller.ts";
import { readMetrics } from "../metrics/read-metrics.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import type { RequestEnv } from "./mount-operation.ts";

export function createMetricsRoute(services: Services): Hono<RequestEnv> {
  const routes = new Hono<RequestEnv>();
  routes.get("/metrics", async ({ req, env }) => {
    const { raw: request } = req;
    const caller = await services.failureLimit.guard(
      request.headers,
      async () =>
        request.headers.has("authorization")
          ? authenticateCaller(services, request)
          : err({ code: "unauthenticated" as const, detail: "this needs an API token, as a bearer token" }),
      () => readCredential(services, request),
    );
    // Each role may read.
    if (!caller.ok) return toProblemResponse(caller.error, env.requestId);
    const format = toMetricsFormat(request.headers.get("accept"));
    const page = await readMetrics(services);
    return new Response(page.render(format), { headers: { "content-type": METRICS_CONTENT_TYPES[format] } });
  });
  routes.all("/metrics", ({ env }) =>
    toProblemResponse({ code: "method_not_allowed" }, env.requestId, { allow: "GET" }),
  );
  return routes;
}
