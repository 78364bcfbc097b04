import { expect, test } from "vitest";
import { parseTrustedProxies, readOrigin, type TrustedProxies } from "./client-address.ts";

function trust(text: string): TrustedProxies {
  const proxies = parseTrustedProxies(text);
  if (!proxies.ok) throw new Error(proxies.error);
  return proxies.value;
}
const read = (peer: string, forwardedFor: string, proxies = "") =>
  readOrigin(peer, { forwardedFor, forwardedProto: "https" }, trust(proxies));

test("without a trusted proxy the connection's address counts, whatever the headers say", () => {
  expect(read("192.0.2.7", "198.51.100.1")).toEqual({ clientAddress: "192.0.2.7", protocol: null });
  expect(read("::ffff:192.0.2.7", "198.51.100.1")).toEqual({ clientAddress: "192.0.2.7", protocol: null });
  expect(read("192.0.2.7", "198.51.100.1", "192.0.2.8,10.0.0.0/8")).toMatchObject({ clientAddress: "192.0.2.7" });
});

test("whoever comes over loopback and is not trusted is nobody: behind it may be everybody", () => {
  for (const peer of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    expect(read(peer, "198.51.100.1")).toEqual({ clientAddress: null, protocol: null });
  }
});

test.each([
  ["the client that the proxy heard", "198.51.100.1", "198.51.100.1"],
  ["not what the client wrote in front of that", "203.0.113.9, 198.51.100.1", "198.51.100.1"],
  ["the client behind two proxies of ours", "203.0.113.9, 198.51.100.1, 10.1.2.3", "198.51.100.1"],
  ["the farthest proxy of ours where nobody else is named", "10.1.2.3", "10.1.2.3"],
  ["what can be read, where something else stands", "203.0.113.9, unknown, 10.1.2.3", "10.1.2.3"],
  ["an address with its port", "198.51.100.1:4711", "198.51.100.1"],
  ["an IPv6 address, in brackets, with its port", "[2001:db8::7]:4711", "2001:db8::7"],
  ["the proxy, when it says nothing", "", "127.0.0.1"],
])("a trusted proxy is believed: %s", (_, forwardedFor, clientAddress) => {
  expect(read("127.0.0.1", forwardedFor, "127.0.0.1, 10.0.0.0/8")).toEqual({ clientAddress, protocol: "https" });
});

test("no protocol but http and https", () => {
  const proxies = trust("::1");
  expect(readOrigin("::1", { forwardedFor: "", forwardedProto: "gopher" }, proxies).protocol).toBeNull();
  expect(readOrigin("::1", { forwardedFor: "", forwardedProto: "http, HTTPS" }, proxies).protocol).toBe("https");
});

test.each([
  ["localhost", "is no address"],
  ["10", "is no address"],
  ["10/8", "is no address"],
  ["10.0/8", "is no address"],
  ["010.0.0.0/8", "is no address"],
  ["0x0a.0.0.1", "is no address"],
  ["167772161", "is no address"],
  ["1.2.3.4.5", "is no address"],
  ["10.0.0.0/08", "is no address"],
  ["10.0.0.0/255.0.0.0", "is no address"],
  ["10.0.0.0/", "is no address"],
  ["10.0.0.0/33", "more than 32"],
  ["fd00::/129", "more than 128"],
  ["::ffff:10.0.0.0/104", "IPv4 prefix in IPv6's clothes"],
  ["10.1.2.3/8", "write 10.0.0.0/8"],
  ["fd00::1/8", "write fd00::/8"],
])("%s is no proxy: %s", (text, why) => {
  const parsed = parseTrustedProxies(`127.0.0.1,${text}`);
  expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(why) });
  expect(parsed).toMatchObject({ error: expect.stringContaining(`"${text}"`) });
});

test.each(["127.0.0.1", "::1", "::ffff:10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "2001:db8::7/128"])(
  "%s is one",
  (text) => expect(trust(text)).toHaveLength(1),
);

test("what a client writes as C would read it is no address", () => {
  expect(read("127.0.0.1", "10, 198.51.100.1, 012.0.0.1", "127.0.0.1")).toMatchObject({ clientAddress: "127.0.0.1" });
});
