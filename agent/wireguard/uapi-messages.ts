// The text protocol of wireguard-go's control socket (https://www.wireguard.com/xplatform/), as far as the agent needs it. It spares a process
// for each look and each change. Keys are hexadecimal there. Private keys are in what it answers: neither a value nor an error carries one.
import { type WireGuardPublicKey, WireGuardPublicKey as WireGuardPublicKeySchema } from "#schema/ids";
import { ParseError } from "../system/parse-error.ts";
import { toPublicKey } from "../system/x25519.ts";
import { parseEndpointField, parseNetwork, type WireGuardDevice, type WireGuardPeer } from "./parse-dump.ts";
import { type PeerChange, type PeerCommand, toPeerCommands } from "./peer-change.ts";

export const GET_REQUEST = "get=1\n\n";

/** Every answer ends with `errno=N` and an empty line. */
export const ANSWER_END = "\n\n";

const SOURCE = "wireguard-go's answer";

/** @returns its errno: 0, or why it refused (errno(3), positive) */
export function parseErrno(answer: string): number {
  const match = /(?:^|\n)errno=(-?\d+)\n\n$/.exec(answer);
  if (match === null)
    throw new ParseError({ source: SOURCE, line: 1, text: "", problem: "there is no errno at its end" });
  return Math.abs(Number(match[1]));
}

/** What `get=1` is answered with. */
export function parseGetAnswer(answer: string): WireGuardDevice {
  const device = { privateKey: "", listenPort: 0 };
  const peers: Draft[] = [];
  for (const [index, line] of answer.split("\n").entries()) {
    const at = line.indexOf("=");
    if (at < 0) continue;
    const [key, value] = [line.slice(0, at), line.slice(at + 1)];
    const fail: Fail = (problem) => new ParseError({ source: SOURCE, line: index + 1, text: key, problem });
    const peer = peers.at(-1);
    if (key === "private_key") device.privateKey = value;
    else if (key === "listen_port") device.listenPort = toCount(value, fail);
    else if (key === "public_key") peers.push({ ...NEW_PEER, publicKey: fromHex(value, fail), allowedIps: [] });
    else if (peer !== undefined) readPeerField(peer, key, value, fail);
  }
  const publicKey = device.privateKey === "" || /^0*$/.test(device.privateKey) ? null : toPublic(device.privateKey);
  return { publicKey, listenPort: device.listenPort, peers };
}

type Draft = { -readonly [K in keyof WireGuardPeer]: WireGuardPeer[K] } & { allowedIps: string[] };
type Fail = (problem: string) => ParseError;

const NEW_PEER = { endpoint: null, latestHandshakeMs: null, receivedBytes: 0, sentBytes: 0, keepaliveSeconds: 0 };

function readPeerField(peer: Draft, key: string, value: string, fail: Fail): void {
  switch (key) {
    case "endpoint":
      peer.endpoint = parseEndpointField(value, fail);
      return;
    case "allowed_ip":
      peer.allowedIps.push(parseNetwork(value, fail));
      return;
    case "last_handshake_time_sec": {
      const seconds = toCount(value, fail);
      peer.latestHandshakeMs = seconds === 0 ? null : seconds * 1_000;
      return;
    }
    case "rx_bytes":
      peer.receivedBytes = toCount(value, fail);
      return;
    case "tx_bytes":
      peer.sentBytes = toCount(value, fail);
      return;
    case "persistent_keepalive_interval":
      peer.keepaliveSeconds = toCount(value, fail);
  }
}

export function renderDeviceRequest(settings: {
  readonly privateKey?: string | undefined;
  readonly listenPort?: number | undefined;
}): string {
  const { privateKey, listenPort } = settings;
  return toRequest([
    ...(privateKey === undefined ? [] : [`private_key=${toHex(privateKey)}`]),
    ...(listenPort === undefined ? [] : [`listen_port=${listenPort}`]),
  ]);
}

/** All changes in one request, in an order that keeps traffic flowing. */
export const renderPeersRequest = (changes: readonly PeerChange[]): string =>
  toRequest(toPeerCommands(changes, { canAdd: true }).flatMap(renderCommand));

const toRequest = (lines: readonly string[]): string => `${["set=1", ...lines].join("\n")}\n\n`;

function renderCommand({ publicKey, isRemoved, endpoint = null, keepaliveSeconds, allowedIps }: PeerCommand): string[] {
  return [
    `public_key=${toHex(publicKey)}`,
    ...(isRemoved ? ["remove=true"] : []),
    ...(endpoint === null ? [] : [`endpoint=${endpoint}`]),
    ...(keepaliveSeconds === undefined ? [] : [`persistent_keepalive_interval=${keepaliveSeconds}`]),
    ...(allowedIps?.how === "replace" ? ["replace_allowed_ips=true"] : []),
    ...(allowedIps?.networks ?? []).map((network) => `allowed_ip=${network}`),
  ];
}

const toHex = (base64: string): string => Buffer.from(base64, "base64").toString("hex");

function fromHex(hex: string, fail: Fail): WireGuardPublicKey {
  const key = WireGuardPublicKeySchema.safeParse(Buffer.from(hex, "hex").toString("base64"));
  if (!key.success) throw fail("the public key is not one");
  return key.data;
}

const toPublic = (hex: string): WireGuardPublicKey => toPublicKey(Buffer.from(hex, "hex").toString("base64"));

function toCount(text: string, fail: Fail): number {
  if (!/^\d{1,20}$/.test(text)) throw fail("it is not a number");
  return Number(text);
}
