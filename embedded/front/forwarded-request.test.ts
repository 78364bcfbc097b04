import { expect, test } from "vitest";
import { toForwardedHead } from "./forwarded-request.ts";

const NOBODY = { clientAddress: null, protocol: null };
const forward = (target: string, ...rawHeaders: string[]) =>
  toForwardedHead({ target, rawHeaders }, NOBODY, "x-becket-client-1");

test("what a request says goes on as it came; what is about its connection, steers Miniflare or claims a client does not", () => {
  const rawHeaders = [
    ...["Host", "becket.test:8787", "Cookie", "a=1", "cookie", "b=2", "Authorization", "Bearer x", "X-Own", "1"],
    ...["Connection", "keep-alive, X-Own", "Keep-Alive", "timeout=5", "TE", "trailers", "Expect", "100-continue"],
    ...["MF-Original-URL", "https://evil.test/", "mf-cf-blob", "{", "CF-Connecting-IP", "192.0.2.1"],
    ...["X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.1"],
  ];
  expect(forward("/api/v1/meshes?limit=1", ...rawHeaders)).toEqual({
    ok: true,
    value: {
      path: "/api/v1/meshes?limit=1",
      headers: ["host", "becket.test:8787", "Cookie", "a=1", "cookie", "b=2", "Authorization", "Bearer x"],
    },
  });
});

test("the Worker is told whom it comes from by a header that the front adds", () => {
  const origin = { clientAddress: "192.0.2.7", protocol: "https" as const };
  const head = toForwardedHead({ target: "/", rawHeaders: ["Host", "a"] }, origin, "x-becket-client-1");
  const headers = ["host", "a", "x-forwarded-proto", "https", "x-becket-client-1", "192.0.2.7"];
  expect(head).toEqual({ ok: true, value: { path: "/", headers } });
});

test.each([
  ["a", "/"],
  ["becket.example.org:443", "/"],
  ["[2001:db8::1]:8787", "/"],
  ["127.0.0.1", "http://becket.test/api?x=1", "/api?x=1", "becket.test"],
  ["127.0.0.1", "http://becket.test?x=1", "/?x=1", "becket.test"],
])("Host %s and target %s are good", (host, target, path = target, seenHost = host) => {
  expect(forward(target, "Host", host)).toEqual({ ok: true, value: { path, headers: ["host", seenHost] } });
});

test.each([
  ...["a b", "[::", "a/b", "a?b", "a@b", "a#b", "a:b", "a:99999", "", "ä", "<script>", "a,b", "999.999.999.999"].map(
    (host) => [host, "/"],
  ),
  ["a", "*"],
  ["a", "evil:443"],
  ["a", "http://a b/"],
  ["a", "ftp://a/"],
])("Host %j and target %s are a bad request", (host, target) => {
  expect(forward(target, "Host", host)).toMatchObject({ error: { code: "bad_request" } });
});

test("so are no Host and two", () => {
  expect(forward("/")).toMatchObject({ error: { code: "bad_request" } });
  expect(forward("/", "Host", "a", "host", "a")).toMatchObject({ error: { code: "bad_request" } });
});

test.each(["host", "Content-Length", "x, authorization"])(
  "a Connection header that names %s is a bad request",
  (names) => {
    expect(forward("/", "Host", "a", "Connection", names)).toMatchObject({ error: { code: "bad_request" } });
  },
);

test.each([
  ...["/cdn-cgi/local/scheduled", "/CDN-cgi", "/__cf_local/stream"],
  ...["/./cdn-cgi/local", "/a/../cdn-cgi", "/x/%2e%2e/cdn-cgi/a", "/a/..\\cdn-cgi", "/\tcdn-cgi"],
])("%s, Miniflare's own, is not there", (path) => {
  expect(forward(path, "Host", "a")).toEqual({ ok: false, error: { code: "not_found" } });
});
