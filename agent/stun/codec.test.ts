import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Endpoint, Ipv6, renderEndpoint, renderIpv4 } from "#schema/address";
import {
  isIntact,
  isStunPacket,
  parseStun,
  renderStun,
  type StunAttributes,
  type StunClass,
  type StunMessage,
} from "./codec.ts";

const KEY = Buffer.from("a key that two machines share");
const ID = Buffer.from("0102030405060708090a0b0c", "hex");
const FINGERPRINT_LENGTH = 8;
const request = (attributes: StunAttributes = {}): StunMessage => ({ class: "request", transactionId: ID, attributes });

describe("a STUN message", () => {
  it("comes back as what was rendered, whatever it says", () => {
    fc.assert(
      fc.property(anyMessage, fc.option(anyIntegrity, { nil: undefined }), fc.boolean(), (message, algorithm, has) => {
        const integrity = algorithm === undefined ? {} : { integrity: { key: KEY, algorithm } };
        const packet = renderStun(message, { ...integrity, hasFingerprint: has });
        const parsed = parseStun(packet);

        expect(isStunPacket(packet)).toBe(true);
        expect(parsed).toMatchObject({ ...message, hasFingerprint: has });
        expect(parsed?.attributes).toEqual(message.attributes);
        for (const one of ["sha1", "sha256"] as const) {
          expect(parsed !== null && isIntact(parsed, KEY, one)).toBe(one === algorithm);
        }
        expect(parsed !== null && isIntact(parsed, Buffer.from("another key"), algorithm)).toBe(false);
      }),
    );
  });

  it("is refused or not intact when anything up to its integrity attribute's end changed on its way", () => {
    const options = { integrity: { key: KEY, algorithm: "sha256" }, hasFingerprint: true } as const;
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, bits) => {
        const packet = renderStun(message, options);
        const index = at % (packet.length - FINGERPRINT_LENGTH);
        packet[index] = (packet[index] ?? 0) ^ bits;

        const parsed = parseStun(packet);

        expect(parsed !== null && isIntact(parsed, KEY)).toBe(false);
      }),
    );
  });

  it("never makes the parser throw, however broken it is", () => {
    const random = fc.uint8Array({ maxLength: 200 });
    const framed = random.map((body) => {
      const packet = Buffer.concat([renderStun(request()), body.subarray(0, body.length - (body.length % 4))]);
      packet.writeUInt16BE(packet.length - 20, 2);
      return packet;
    });
    const cut = fc.tuple(anyMessage, fc.nat()).map(([message, at]) => {
      const packet = renderStun(message, { integrity: { key: KEY, algorithm: "sha1" } });
      return packet.subarray(0, at % packet.length);
    });
    fc.assert(
      fc.property(fc.oneof(random, framed, cut), (packet) => {
        const parsed = parseStun(packet);
        if (parsed !== null) for (const one of ["sha1", "sha256"] as const) isIntact(parsed, KEY, one);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is told from every packet of WireGuard", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.uint8Array({ minLength: 28, maxLength: 148 }), (type, rest) => {
        const withCookie = Buffer.concat([Buffer.from([type, 0, 0, 0, 0x21, 0x12, 0xa4, 0x42]), rest]);
        expect(isStunPacket(withCookie)).toBe(false);
      }),
    );
  });

  it("lists attributes that have to be understood and aren't, and passes over the others", () => {
    const packet = withAttributes([0x0031, "01020304"], [0x8031, "05"], [0x0032, ""], [0x0031, ""]);

    expect(parseStun(packet)?.attributes).toEqual({ unknownRequired: [0x0031, 0x0032] });
  });

  it("takes the first of two attributes of one type", () => {
    const packet = withAttributes([0x0006, "61"], [0x0006, "62"]);

    expect(parseStun(packet)?.attributes).toEqual({ username: "a" });
  });

  it("is refused for a malformed attribute that has to be understood, and not for another one", () => {
    expect(parseStun(withAttributes([0x0020, "00010000e112a643"]))).not.toBeNull();
    expect(parseStun(withAttributes([0x0020, "00030000e112a643"]))).toBeNull();
    expect(parseStun(withAttributes([0x0020, "000121120000"]))).toBeNull();
    expect(parseStun(withAttributes([0x0020, "00012112e112a643"]))).toBeNull();
    expect(parseStun(withAttributes([0x0006, "ff"]))).toBeNull();
    expect(parseStun(withAttributes([0x802c, "00010000e112a643"]))?.attributes).toEqual({});
  });

  it("says nothing after its integrity attribute but the stronger one and its fingerprint", () => {
    const signed = renderStun(request({ username: "a" }), { integrity: { key: KEY, algorithm: "sha256" } });
    const parsed = parseStun(append(signed, [0x0024, "00000001"], [0x0031, ""], [0x0008, "00".repeat(20)]));

    expect(parsed?.attributes).toEqual({ username: "a" });
    expect(parsed && isIntact(parsed, KEY)).toBe(true);
    expect(parsed && isIntact(parsed, KEY, "sha1")).toBe(false);
  });

  it("may carry both integrity attributes, the weaker one first", () => {
    const weak = renderStun(request({ username: "a" }), { integrity: { key: KEY, algorithm: "sha1" } });
    const strong = renderStun(request({ username: "a" }), { integrity: { key: KEY, algorithm: "sha256" } });
    const later = parseStun(append(weak, [0x001c, strong.subarray(-32).toString("hex")]));

    // The stronger one has to cover the weaker one too.
    expect(later && isIntact(later, KEY, "sha1")).toBe(true);
    expect(later && isIntact(later, KEY)).toBe(false);
  });

  it("is not intact with a shortened hash", () => {
    const signed = renderStun(request(), { integrity: { key: KEY, algorithm: "sha256" } });
    const short = withAttributes([0x001c, signed.subarray(24, 40).toString("hex")]);
    const parsed = parseStun(short);

    expect(parsed).not.toBeNull();
    expect(parsed && isIntact(parsed, KEY)).toBe(false);
  });

  it("ends with its fingerprint, or is refused", () => {
    const packet = renderStun(request({ username: "a" }), { hasFingerprint: true });
    expect(parseStun(packet)?.hasFingerprint).toBe(true);
    expect(parseStun(append(packet, [0x8022, "61"]))).toBeNull();
  });

  it("can't be rendered with a name that is too long or with an id of another length", () => {
    expect(() => renderStun(request({ username: "x".repeat(509) }))).toThrow(RangeError);
    expect(() => renderStun({ ...request(), transactionId: Buffer.alloc(16) })).toThrow(RangeError);
  });
});

const anyIntegrity = fc.constantFrom("sha1" as const, "sha256" as const);
const anyPort = fc.integer({ min: 1, max: 65_535 });
const anyIpv4 = fc.nat({ max: 0xffff_ffff }).map(renderIpv4);
const anyIpv6 = fc
  .ipV6()
  .filter((text) => !text.includes("."))
  .map((text) => Ipv6.parse(text));
const anyEndpoint: fc.Arbitrary<Endpoint> = fc
  .record({ address: fc.oneof(anyIpv4, anyIpv6), port: anyPort })
  .map(renderEndpoint);
const anyText = fc.string({ unit: "grapheme", maxLength: 40 });
const anyType = fc.integer({ min: 0, max: 65_535 });
const anyMessage: fc.Arbitrary<StunMessage> = fc.record({
  class: fc.constantFrom<StunClass>("request", "indication", "success", "error"),
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  attributes: fc.record(
    {
      username: anyText,
      software: anyText,
      mappedAddress: anyEndpoint,
      xorMappedAddress: anyEndpoint,
      errorCode: fc.record({ code: fc.integer({ min: 300, max: 699 }), reason: anyText }),
      otherAddress: anyEndpoint,
      responseOrigin: anyEndpoint,
      changeRequest: fc.record({ changeAddress: fc.boolean(), changePort: fc.boolean() }),
      responsePort: anyPort,
      unknownAttributes: fc.array(anyType, { maxLength: 5 }),
    },
    { requiredKeys: [] },
  ),
});

type Attribute = [type: number, valueHex: string];

const withAttributes = (...attributes: Attribute[]) => append(renderStun(request()), ...attributes);

function append(packet: Buffer, ...attributes: Attribute[]): Buffer {
  const added = attributes.map(([type, hex]) => {
    const value = Buffer.from(hex, "hex");
    const head = Buffer.alloc(4);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(value.length, 2);
    return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
  });
  const longer = Buffer.concat([packet, ...added]);
  longer.writeUInt16BE(longer.length - 20, 2);
  return longer;
}
