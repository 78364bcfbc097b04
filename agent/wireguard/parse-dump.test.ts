import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isParseError } from "../system/parse-error.ts";
import { parseDump } from "./parse-dump.ts";

const recorded = readFileSync(new URL("./testdata/wireguard-go-0.0.20220316.dump", import.meta.url), "utf8");
const PRIVATE_KEY = "6FkGnZIk7nc/sdaoFRHL8jXWc5p0E+dW4jp1evpmomw=";
const PUBLIC_KEY = "n8pwXtePHWzlCTOG+66AMe9/rESWW0GKLX8MM0DVKTA=";
const PEER = "gKKsys11r2/ll7cb9IUOu9vLZm4o16edFLoVjQnvMmc=";
const PRESHARED_KEY = "YKRmduCKoF2UEm3ijEHfs8D3ZCim+ocW4vkCgR3NIBk=";
const DEVICE_LINE = `${PRIVATE_KEY}\t${PUBLIC_KEY}\t51820\toff`;

function dumpOf(peer: Record<string, string> = {}): string {
  const fields = {
    key: PEER,
    psk: PRESHARED_KEY,
    endpoint: "192.0.2.1:51820",
    ips: "10.1.0.3/32",
    at: "1",
    rx: "2",
    tx: "3",
    keepalive: "25",
  };
  return `${DEVICE_LINE}\n${Object.values({ ...fields, ...peer }).join("\t")}\n`;
}

function parseFailure(text: string): Error {
  try {
    parseDump(text);
  } catch (error) {
    if (isParseError(error)) return error;
    throw error;
  }
  throw new Error(`taken: ${text}`);
}

describe("parseDump", () => {
  it("reads what wireguard-go really says", () => {
    expect(parseDump(recorded)).toEqual({
      publicKey: PUBLIC_KEY,
      listenPort: 51_999,
      peers: [
        {
          publicKey: "PzAKMrlshJiCuNFC3X4BrcPCgaT/I1OtlGGO0it6U0g=",
          endpoint: null,
          allowedIps: [],
          latestHandshakeMs: null,
          receivedBytes: 0,
          sentBytes: 0,
          keepaliveSeconds: 0,
        },
        {
          publicKey: PEER,
          endpoint: "192.168.7.2:51820",
          allowedIps: ["10.1.0.3/32", "fd00:1::3/128"],
          latestHandshakeMs: null,
          receivedBytes: 0,
          sentBytes: 148,
          keepaliveSeconds: 25,
        },
        {
          publicKey: "YKRmduCKoF2UEm3ijEHfs8D3ZCim+ocW4vkCgR3NIBk=",
          endpoint: "[fe80::2]:51820",
          allowedIps: ["10.1.0.4/32"],
          latestHandshakeMs: null,
          receivedBytes: 0,
          sentBytes: 0,
          keepaliveSeconds: 0,
        },
      ],
    });
  });

  it("reads a device without a key and without peers", () => {
    expect(parseDump("(none)\t(none)\t0\toff\n")).toEqual({ publicKey: null, listenPort: 0, peers: [] });
  });

  it("reads a handshake's time, counters beyond 32 bits and a link-local endpoint with its zone", () => {
    const [peer] = parseDump(dumpOf({ at: "1767225600", rx: "123456789012", endpoint: "[fe80::2%eth0]:51820" })).peers;

    expect(peer).toMatchObject({
      latestHandshakeMs: 1_767_225_600_000,
      receivedBytes: 123_456_789_012,
      endpoint: "[fe80::2%eth0]:51820",
    });
  });

  it.each([
    ["a missing field", `${DEVICE_LINE}\n${PEER}\t(none)\t(none)`],
    ["a field too many", dumpOf({ more: "1" })],
    ["an empty line between peers", `${DEVICE_LINE}\n\n`],
    ["nothing at all", ""],
    ["a short key", dumpOf({ key: "abc=" })],
    ["an endpoint without a port", dumpOf({ endpoint: "192.0.2.1" })],
    ["an endpoint by name", dumpOf({ endpoint: "evil.example:51820" })],
    ["a port out of range", dumpOf({ endpoint: "192.0.2.1:99999" })],
    ["an allowed IP that is no network", dumpOf({ ips: "10.1.0.3/33" })],
    ["a negative time", dumpOf({ at: "-1" })],
    ["a time in words", dumpOf({ at: "now" })],
    ["a count that is none", dumpOf({ rx: "1e9" })],
    ["a keepalive out of range", dumpOf({ keepalive: "65536" })],
    ["a listen port out of range", `${PRIVATE_KEY}\t${PUBLIC_KEY}\t65536\toff\n`],
  ])("refuses %s", (_, text) => {
    expect(parseFailure(text).message).toContain("wg show dump");
  });

  it("names the line that it refuses, without any secret in it", () => {
    const failure = parseFailure(dumpOf({ endpoint: "nonsense" }));

    expect(failure.message).toContain("line 2");
    expect(failure.message).not.toContain(PRESHARED_KEY);
    expect(parseFailure(`${PRIVATE_KEY}\tnonsense\t1\toff`).message).not.toContain(PRIVATE_KEY);
  });

  it("answers any text with a value or a ParseError", () => {
    const field = fc.oneof(fc.string(), fc.constantFrom(PEER, "(none)", "off", "0", "10.0.0.1/32", "[::1]:1", ""));
    const line = fc.oneof(
      fc.string(),
      fc.array(field, { minLength: 3, maxLength: 9 }).map((fields) => fields.join("\t")),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          parseDump(lines.join("\n"));
        } catch (error) {
          expect(isParseError(error)).toBe(true);
        }
      }),
    );
  });
});
