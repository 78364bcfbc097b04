// `wg show IF dump`: tab-separated, the device on the first line, one peer on each further line (wg(8)).
// The private key in it is dropped here; neither the value nor an error carries it.
import ipaddr from "ipaddr.js";
import { WireGuardPublicKey } from "#schema/ids";
import { isIpv4Network } from "../net/ipv4-text.ts";
import { ParseError } from "../system/parse-error.ts";

export interface WireGuardDevice {
  /** Null until the device has a private key. */
  readonly publicKey: WireGuardPublicKey | null;
  /** 0 when it has no socket. */
  readonly listenPort: number;
  readonly peers: readonly WireGuardPeer[];
}

export interface WireGuardPeer {
  readonly publicKey: WireGuardPublicKey;
  /** `ip:port` or `[ip]:port`, where the last authenticated packet came from, or what was set; null when neither is known. */
  readonly endpoint: string | null;
  /** Canonical networks. */
  readonly allowedIps: readonly string[];
  /** Whole seconds in milliseconds since the epoch, as WireGuard's wall clock has them; `readDevice`: as `Clock.now()` does. Null: never. */
  readonly latestHandshakeMs: number | null;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** 0 is off. */
  readonly keepaliveSeconds: number;
}

const SOURCE = "wg show dump";
const DEVICE_FIELDS = 4;
const PEER_FIELDS = 8;

export function parseDump(text: string): WireGuardDevice {
  const [deviceLine = "", ...peerLines] = text.replace(/\n$/, "").split("\n");
  return { ...parseDeviceLine(deviceLine), peers: peerLines.map((line, index) => parsePeerLine(line, index + 2)) };
}

function parseDeviceLine(line: string): Omit<WireGuardDevice, "peers"> {
  // No text in the error: the first field is the private key.
  const fail = (problem: string) => new ParseError({ source: SOURCE, line: 1, text: "", problem });
  const fields = line.split("\t");
  if (fields.length !== DEVICE_FIELDS) throw fail(`${fields.length} fields instead of ${DEVICE_FIELDS}`);
  const [, publicKey, listenPort] = fields;
  const port = toCount(listenPort);
  if (port === null || port > 65_535) throw fail("the listen port is not one");
  return { publicKey: publicKey === "(none)" ? null : parseKey(publicKey, fail), listenPort: port };
}

function parsePeerLine(line: string, lineNumber: number): WireGuardPeer {
  // The second field is the preshared key; nothing of ours uses one, and it must not get into a log.
  const fields = line.split("\t");
  const shown = fields.filter((_, index) => index !== 1).join("\t");
  const fail = (problem: string) => new ParseError({ source: SOURCE, line: lineNumber, text: shown, problem });
  if (fields.length !== PEER_FIELDS) throw fail(`${fields.length} fields instead of ${PEER_FIELDS}`);
  const [publicKey, , endpoint, allowedIps = "", latestHandshake, received, sent, keepalive] = fields;
  const handshakeSeconds = toCount(latestHandshake);
  const receivedBytes = toCount(received);
  const sentBytes = toCount(sent);
  const keepaliveSeconds = keepalive === "off" ? 0 : toCount(keepalive);
  if (handshakeSeconds === null) throw fail("the time of the handshake is not a number");
  if (receivedBytes === null || sentBytes === null) throw fail("a byte count is not a number");
  if (keepaliveSeconds === null || keepaliveSeconds > 65_535) throw fail("the keepalive is not one");
  return {
    publicKey: parseKey(publicKey, fail),
    endpoint: parseEndpointField(endpoint, fail),
    allowedIps: allowedIps === "(none)" ? [] : allowedIps.split(",").map((network) => parseNetwork(network, fail)),
    latestHandshakeMs: handshakeSeconds === 0 ? null : handshakeSeconds * 1_000,
    receivedBytes,
    sentBytes,
    keepaliveSeconds,
  };
}

type Fail = (problem: string) => ParseError;

function parseKey(text: string | undefined, fail: Fail): WireGuardPublicKey {
  const key = WireGuardPublicKey.safeParse(text);
  if (!key.success) throw fail("the public key is not one");
  return key.data;
}

/** Kept as text: a link-local endpoint has a zone (`[fe80::1%eth0]:51820`), which no endpoint of ours has. */
export function parseEndpointField(text: string | undefined, fail: Fail): string | null {
  if (text === "(none)") return null;
  const match = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d{1,5})$/.exec(text ?? "");
  const isAddress = match !== null && ipaddr.isValid(match[1] ?? match[2] ?? "");
  if (text === undefined || !isAddress || Number(match[3]) > 65_535) throw fail("the endpoint is not one");
  return text;
}

export function parseNetwork(text: string, fail: Fail): string {
  if (isIpv4Network(text)) return text;
  if (!ipaddr.isValidCIDR(text)) throw fail("an allowed IP is not a network");
  const [address, prefixLength] = ipaddr.parseCIDR(text);
  return `${address.kind() === "ipv6" ? (address as ipaddr.IPv6).toRFC5952String() : address.toString()}/${prefixLength}`;
}

/** A count in decimal digits, or null. */
function toCount(text: string | undefined): number | null {
  const value = /^\d{1,20}$/.test(text ?? "") ? Number(text) : null;
  return value;
}
