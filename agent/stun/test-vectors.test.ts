// The messages that the RFCs print, byte for byte: RFC 5769 section 2, and RFC 8489 appendix B.1
// as its erratum corrects it (the RFC's own text counts the header in the length).
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isIntact, type ParsedStun, parseStun, renderStun } from "./codec.ts";

const PASSWORD = Buffer.from("VOkJxbRl1RmTxUk/WvJxBt");
// The name is "Matrix" in katakana; the password after SASLprep is "TheMatrIX".
const NAME = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9";
const longTermKey = (algorithm: "md5" | "sha256") =>
  createHash(algorithm).update(`${NAME}:example.org:TheMatrIX`).digest();

const REQUEST = `
  00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e2074657374 20636c69656e74
  00240004 6e0001ff
  80290008 932ff9b151263b36
  00060009 6576746a3a6836765920 2020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`;
const IPV4_RESPONSE = `
  0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
  80280004 c07d4c96`;
const IPV6_RESPONSE = `
  01010048 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`;
const LONG_TERM_REQUEST = `
  00010060 2112a442 78ad3433c6ad72c029da412e
  00060012 e3839ee38388e383aae38383e382afe382b90000
  0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341
  0014000b 6578616d706c652e6f726700
  00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`;
const SHA256_REQUEST = `
  00010090 2112a442 78ad3433c6ad72c029da412e
  001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
  00150029 6f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39465354767936347341000000
  0014000b 6578616d706c652e6f726700
  001d0004 00020000
  001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65`;

describe("the test vectors", () => {
  it("section 2.1: a request with a short-term password", () => {
    const parsed = parse(REQUEST);

    expect(parsed.class).toBe("request");
    // PRIORITY (RFC 8445), which none of our checks has.
    const unknownRequired = [0x0024];
    expect(parsed.attributes).toEqual({ software: "STUN test client", username: "evtj:h6vY", unknownRequired });
    expect(isIntact(parsed, PASSWORD, "sha1")).toBe(true);
    expect(isIntact(parsed, PASSWORD)).toBe(false);
    expect(parsed.hasFingerprint).toBe(true);
  });

  it("section 2.2: a response with an IPv4 address", () => {
    const parsed = parse(IPV4_RESPONSE);

    expect(parsed.class).toBe("success");
    expect(parsed.attributes).toEqual({ software: "test vector", xorMappedAddress: "192.0.2.1:32853" });
    expect(isIntact(parsed, PASSWORD, "sha1")).toBe(true);
  });

  it("section 2.3: a response with an IPv6 address", () => {
    const parsed = parse(IPV6_RESPONSE);

    expect(parsed.attributes.xorMappedAddress).toBe("[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    expect(isIntact(parsed, PASSWORD, "sha1")).toBe(true);
  });

  it("section 2.4: a request with a long-term password, whose realm and nonce nobody here understands", () => {
    const parsed = parse(LONG_TERM_REQUEST);

    expect(parsed.attributes).toEqual({
      username: NAME,
      unknownRequired: [0x15, 0x14],
    });
    expect(isIntact(parsed, longTermKey("md5"), "sha1")).toBe(true);
    expect(parsed.hasFingerprint).toBe(false);
  });

  it("RFC 8489 B.1: a request with MESSAGE-INTEGRITY-SHA256", () => {
    const parsed = parse(SHA256_REQUEST);

    expect(isIntact(parsed, longTermKey("sha256"))).toBe(true);
    expect(isIntact(parsed, longTermKey("sha256"), "sha1")).toBe(false);
  });

  it.each([
    ["2.2", IPV4_RESPONSE],
    ["2.3", IPV6_RESPONSE],
  ])("section %s: rendering what it says gives the same bytes, but for the padding and what covers it", (_, text) => {
    const parsed = parse(text);

    const rendered = renderStun(parsed, { integrity: { key: PASSWORD, algorithm: "sha1" }, hasFingerprint: true });

    const protectedFrom = rendered.length - 32;
    const expected = toBytes(text).subarray(0, protectedFrom);
    expected[35] = 0;
    expect(rendered.subarray(0, protectedFrom).toString("hex")).toBe(expected.toString("hex"));
  });
});

const toBytes = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");

function parse(text: string): ParsedStun {
  const parsed = parseStun(toBytes(text));
  if (parsed === null) throw new Error("was refused");
  return parsed;
}
