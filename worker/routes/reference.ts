// /api/docs: the reference page. Swagger UI from our own assets (see scripts/build.ts), pointed at our own document; it asks no other host.
import { Hono } from "hono";
import { toProblemResponse } from "../problem.ts";
import type { RequestEnv } from "./mount-operation.ts";

/** Swagger UI writes style elements and uses data: images; scripts are ours alone. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Becket API</title>
<link rel="stylesheet" href="/reference/swagger-ui.css">
<link rel="icon" href="/reference/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript>
<script src="/reference/swagger-ui-bundle.js"></script>
<script src="/reference/start.js"></script>
</body>
</html>
`;

export function createReference(): Hono<RequestEnv> {
  const reference = new Hono<RequestEnv>();
  reference.get("/api/docs", () => {
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": PAGE_POLICY };
    return new Response(PAGE, { headers });
  });
  reference.all("/api/docs", ({ env }) =>
    toProblemResponse({ code: "method_not_allowed" }, env.requestId, { allow: "GET" }),
  );
  return reference;
}
