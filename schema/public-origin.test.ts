import { expect, test } from "vitest";
import { parsePublicOrigin } from "./public-origin.ts";

test.each([undefined, ""])("%j is each request's own", (text) => {
  expect(parsePublicOrigin(text)).toEqual({ ok: true, value: null });
});

test.each(["https://becket.example.org", "http://192.0.2.1:8787", "https://[2001:db8::1]:8443", "http://localhost"])(
  "%s is an origin",
  (text) => {
    expect(parsePublicOrigin(text)).toEqual({ ok: true, value: text });
  },
);

test.each([
  "becket.example.org",
  "https://becket.example.org/",
  "https://becket.example.org/path",
  "https://becket.example.org?query",
  "https://becket.example.org#hash",
  "https://becket.example.org:443",
  "https://Becket.example.org",
  "https://ann@becket.example.org",
  " https://becket.example.org",
  "https:becket.example.org",
  "wss://becket.example.org",
  "file://",
  "https://",
])("%j is none", (text) => {
  expect(parsePublicOrigin(text)).toEqual({
    ok: false,
    error: `${text} is no origin: scheme, host and port, like https://becket.example.org`,
  });
});
