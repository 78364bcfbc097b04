import type { Api } from "./mount-operation.ts";

export function renderOpenApi(api: Api): string {
  api.openAPIRegistry.registerComponent("securitySchemes", "apiToken", {
    type: "http",
    scheme: "bearer",
    description: "An API token (bkt_…), or the owner's built-in token.",
  });
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Becket API",
      version: "1",
      description:
        "Meshes, machines and who may change them. Lists are paged: pass `nextCursor` as `cursor`. Errors are problem documents " +
        "(RFC 9457) with a stable `code` and a `requestId`.",
    },
    servers: [{ url: "/api/v1" }],
  });
  return JSON.stringify(document);
}
