import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { generateX25519KeyPair } from "../system/x25519.ts";
import { parseErrno, parseGetAnswer, renderDeviceRequest, renderPeersRequest } from "./uapi-messages.ts";

const toHex = (base64: string) => Buffer.from(base64, "base64").toString("hex");
const device = generateX25519KeyPair();
const [one, two] = [generateX25519KeyPair().publicKey, generateX25519KeyPair().publicKey];

const ANSWER = [
  `private_key=${toHex(device.privateKey)}`,
  "listen_port=51820",
  `public_key=${toHex(one)}`,
  "preshared_key=0000000000000000000000000000000000000000000000000000000000000000",
  "protocol_version=1",
  "endpoint=[2001:db8::1]:51820",
  "last_handshake_time_sec=1764111111",
  "last_handshake_time_nsec=5",
  "tx_bytes=148",
  "rx_bytes=92",
  "persistent_keepalive_interval=25",
  "allowed_ip=10.77.0.2/32",
  "allowed_ip=fd00:0077::0002/128",
  `public_key=${toHex(two)}`,
  "last_handshake_time_sec=0",
  "tx_bytes=0",
  "rx_bytes=0",
  "persistent_keepalive_interval=0",
  "errno=0",
  "\n",
].join("\n");

describe("what wireguard-go answers", () => {
  it("is read as a device and its peers", () => {
    expect(parseGetAnswer(ANSWER)).toEqual({
      publicKey: device.publicKey,
      listenPort: 51_820,
      peers: [
        {
          publicKey: one,
          endpoint: "[2001:db8::1]:51820",
          allowedIps: ["10.77.0.2/32", "fd00:77::2/128"],
          latestHandshakeMs: 1_764_111_111_000,
          receivedBytes: 92,
          sentBytes: 148,
          keepaliveSeconds: 25,
        },
        {
          publicKey: two,
          endpoint: null,
          allowedIps: [],
          latestHandshakeMs: null,
          receivedBytes: 0,
          sentBytes: 0,
          keepaliveSeconds: 0,
        },
      ],
    });
  });

  it("has no public key before it has a private one", () => {
    const none = `private_key=${"0".repeat(64)}\nlisten_port=4000\nerrno=0\n\n`;
    expect([none, "listen_port=4000\nerrno=0\n\n"].map((text) => parseGetAnswer(text).publicKey)).toEqual([null, null]);
  });

  it.each([
    ["public_key=zz", "public key"],
    [`public_key=${toHex(one)}\ntx_bytes=-1`, "number"],
    [`public_key=${toHex(one)}\nallowed_ip=10.0.0.0`, "network"],
    [`public_key=${toHex(one)}\nendpoint=nowhere`, "endpoint"],
  ])("is refused where it makes no sense, and no private key is in the error: %s", (lines, problem) => {
    const text = `private_key=${toHex(device.privateKey)}\n${lines}\nerrno=0\n\n`;
    const read = () => parseGetAnswer(text);
    expect(read).toThrow(problem);
    expect(read).not.toThrow(toHex(device.privateKey));
  });

  it("ends with an errno", () => {
    expect([parseErrno("errno=0\n\n"), parseErrno("a=b\nerrno=-22\n\n")]).toEqual([0, 22]);
    expect(() => parseErrno("a=b\n\n")).toThrow("errno");
  });
});

describe("what wireguard-go is told", () => {
  it("are keys in hexadecimal, and only what is to be set", () => {
    expect(renderDeviceRequest({ privateKey: device.privateKey, listenPort: 51_820 })).toBe(
      `set=1\nprivate_key=${toHex(device.privateKey)}\nlisten_port=51820\n\n`,
    );
    expect(renderDeviceRequest({})).toBe("set=1\n\n");
  });

  it("are additions and changes first, removals last", () => {
    const endpoint = "192.0.2.1:51820" as Endpoint;
    const text = renderPeersRequest([
      { kind: "remove", publicKey: one, reason: "" },
      { kind: "update", publicKey: two, endpoint, reason: "" },
      {
        ...{ kind: "recreate", isNudge: true, reason: "" },
        peer: { publicKey: two, allowedIps: ["10.77.0.2/32"], endpoint: null, keepaliveSeconds: 25 },
      },
    ]);
    expect(text.trimEnd().split("\n")).toEqual([
      "set=1",
      ...[`public_key=${toHex(two)}`, `endpoint=${endpoint}`],
      ...[`public_key=${toHex(two)}`, "remove=true"],
      `public_key=${toHex(two)}`,
      "persistent_keepalive_interval=25",
      ...["replace_allowed_ips=true", "allowed_ip=10.77.0.2/32"],
      ...[`public_key=${toHex(one)}`, "remove=true"],
    ]);
  });
});
