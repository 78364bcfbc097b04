// Headers of every answer. Date is the clock that agents correct theirs by; workerd sends none by itself.

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "strict-transport-security": "max-age=31536000",
} as const;
/** For what is no page: nothing may be loaded from it, and nobody may frame it. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

export function withStandardHeaders(
  response: Response,
  { requestId, nowMs }: { requestId: string; nowMs: number },
): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value);
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", DATA_POLICY);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-request-id", requestId);
  headers.set("date", new Date(nowMs).toUTCString());
  const { status, statusText, webSocket } = response;
  // Answers of objects have immutable headers, so the response is made anew; a socket goes along.
  if (webSocket) return new Response(null, { status, headers, webSocket });
  return new Response(response.body, { status, statusText, headers });
}
