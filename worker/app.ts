// The HTTP side as one function from request to response. Every answer has a request id, a date and the security headers; whatever
// is thrown below becomes a problem document here, and nowhere else.
import { Hono } from "hono";
import { toErrorFields } from "./log.ts";
import { withStandardHeaders } from "./middleware/standard-headers.ts";
import { toPublicFailure } from "./middleware/to-failure.ts";
import { toProblemResponse } from "./problem.ts";
import { createAgentApi } from "./routes/agent.ts";
import { createApi } from "./routes/api.ts";
import { createInstaller } from "./routes/installer.ts";
import { createMetricsRoute } from "./routes/metrics.ts";
import type { RequestEnv } from "./routes/mount-operation.ts";
import { createOidcRoutes } from "./routes/oidc.ts";
import { createReference } from "./routes/reference.ts";
import { servePage } from "./routes/serve-page.ts";
import type { Services } from "./services.ts";

export interface App {
  fetch(request: Request): Promise<Response>;
}

export function createApp(services: Services): App {
  const { log, now, ids, assets } = services;
  const app = new Hono<RequestEnv>();
  app.route("/", createReference());
  app.route("/", createInstaller(services));
  app.route("/", createAgentApi(services));
  app.route("/", createOidcRoutes(services));
  app.route("/", createMetricsRoute(services));
  app.route("/api/v1", createApi(services));
  app.notFound(async ({ env, req }) => {
    const isProgram = /^\/(api|agent)(\/|$)/.test(req.path);
    return (
      (!isProgram && (await servePage(assets, req.raw))) || toProblemResponse({ code: "not_found" }, env.requestId)
    );
  });
  app.onError((error, { env, req }) => {
    const failure = toPublicFailure(error);
    const { requestId } = env;
    log.error("request failed", { requestId, method: req.method, code: failure.code, ...toErrorFields(error) });
    return toProblemResponse(failure, requestId);
  });

  return {
    async fetch(request) {
      const requestId = ids.request();
      const startedAt = now();
      const response = await app.fetch(request, { requestId });
      const durationMs = now() - startedAt;
      const path = new URL(request.url).pathname;
      log.debug("request", { requestId, method: request.method, path, status: response.status, durationMs });
      return withStandardHeaders(response, { requestId, nowMs: now() });
    },
  };
}
