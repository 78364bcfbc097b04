import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddressReply, parseMapReply, renderAddressRequest, renderMapRequest } from "./nat-pmp-messages.ts";
import { parseAnnounceReply, parsePcpMapReply, renderAnnounce, renderPcpMap } from "./pcp-messages.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const Packet = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

describe("NAT-PMP (RFC 6886)", () => {
  test("asks for the external address and for mappings", () => {
    expect(renderAddressRequest()).toEqual(hex("00 00"));
    expect(renderMapRequest(51_820, 51_821, 7_200)).toEqual(hex("00 01 0000 ca6c ca6d 00001c20"));
    expect(renderMapRequest(51_820, 0, 0)).toEqual(hex("00 01 0000 ca6c 0000 00000000"));
  });

  test("reads answers", () => {
    expect(parseAddressReply(hex("00 80 0000 00000009 c6336407"))).toEqual({ ok: true, value: "198.51.100.7" });
    expect(parseMapReply(hex("00 81 0000 00000009 ca6c ca6d 00000e10"), 51_820)).toEqual({
      ok: true,
      value: { internalPort: 51_820, externalPort: 51_821, lifetimeSeconds: 3_600 },
    });
    expect(parseMapReply(hex("00 81 0002 00000009 0000 0000 00000000"), 51_820)).toMatchObject({
      error: { problem: "port mapping is switched off, or not for this machine" },
    });
  });

  test.each([
    ["too short", "00 81 0000 00000009 ca6c"],
    ["of another request", "00 80 0000 00000009 c6336407"],
    ["for another port", "00 81 0000 00000009 ca6d ca6d 00000e10"],
    ["of another version", "02 81 0000 00000009 ca6c ca6d 00000e10"],
    ["a request", "00 01 0000 ca6c ca6d 00001c20 00000000"],
  ])("takes nothing that is %s", (_, packet) => {
    expect(parseMapReply(hex(packet), 51_820)).toBeNull();
  });
});

describe("PCP (RFC 6887)", () => {
  const nonce = hex("0102030405060708090a0b0c");
  const LOCAL = "00000000 00000000 0000ffff c0a84d02";
  const map = { localAddress: "192.168.77.2", nonce, port: 51_820, externalPort: 51_820, lifetimeSeconds: 7_200 };
  const reply = (code: string, own = "0102030405060708090a0b0c", port = "ca6c") =>
    hex(
      `02 81 00 ${code} 00000e10 00000001 000000000000000000000000 ${own} 11 000000 ${port} ca6d 00000000000000000000ffff c6336407`,
    );

  test("announces itself and asks for mappings", () => {
    expect(renderAnnounce("192.168.77.2")).toEqual(hex(`02 00 0000 00000000 ${LOCAL}`));
    expect(renderPcpMap(map)).toEqual(
      hex(`02 01 0000 00001c20 ${LOCAL} 0102030405060708090a0b0c 11 000000 ca6c ca6c 00000000000000000000ffff00000000`),
    );
  });

  test("reads answers", () => {
    expect(parseAnnounceReply(hex(`02 80 00 00 00000000 00000001 000000000000000000000000`))).toBe(true);
    expect(parseAnnounceReply(hex(`02 80 00 01 00000000 00000001 000000000000000000000000`))).toBeNull();
    expect(parseAnnounceReply(hex("00 80 0001 00000009"))).toBeNull();
    expect(parsePcpMapReply(reply("00"), nonce, 51_820)).toEqual({
      ok: true,
      value: { externalAddress: "198.51.100.7", externalPort: 51_821, lifetimeSeconds: 3_600 },
    });
    expect(parsePcpMapReply(reply("02"), nonce, 51_820)).toMatchObject({ error: { problem: "not for this machine" } });
  });

  test("takes nothing with another nonce or for another port", () => {
    expect(parsePcpMapReply(reply("00", "0102030405060708090a0b0d"), nonce, 51_820)).toBeNull();
    expect(parsePcpMapReply(reply("00", undefined, "ca6d"), nonce, 51_820)).toBeNull();
  });

  test("no packet makes any of the parsers throw", () => {
    fc.assert(
      fc.property(Packet, fc.constantFrom(0, 2), fc.constantFrom(0x80, 0x81), (packet, version, opcode) => {
        if (packet.length > 1) packet.set([version, opcode]);
        parseAddressReply(packet);
        parseMapReply(packet, 51_820);
        parseAnnounceReply(packet);
        parsePcpMapReply(packet, nonce, 51_820);
      }),
    );
  });
});
