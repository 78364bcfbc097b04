// The reference: the tunnel that a person would make by hand with `wg`, between the same two machines, next to Becket's.
import type { LabNode } from "../../e2e/lab/node.ts";
import { addInterface, makeKey } from "../lib/wireguard-by-hand.ts";

const INTERFACE = "hand0";
const PORT = 51_999;
const NETWORK = "10.99.0";

export interface TunnelSettings {
  readonly mtuBytes: number;
  /** By end; 0: none. */
  readonly keepaliveSeconds: readonly [number, number];
}

/** The addresses of both ends inside. */
export async function makeTunnel(
  ends: readonly [LabNode, LabNode],
  settings: TunnelSettings,
): Promise<[string, string]> {
  const [one, other] = await Promise.all([createInterface(ends[0]), createInterface(ends[1])]);
  const addresses: [string, string] = [`${NETWORK}.1`, `${NETWORK}.2`];
  const { mtuBytes, keepaliveSeconds } = settings;
  await configure(ends[0], { peerKey: other, peer: ends[1], ...toEnd(0) });
  await configure(ends[1], { peerKey: one, peer: ends[0], ...toEnd(1) });
  return addresses;

  function toEnd(index: 0 | 1) {
    const address = addresses[index];
    const peerAddress = addresses[index === 0 ? 1 : 0];
    return { address, peerAddress, mtuBytes, keepaliveSeconds: keepaliveSeconds[index] };
  }
}

/** What the agent gave its own interface, so that the other one gets the same. */
export async function readSettings(
  node: LabNode,
  interfaceName: string,
): Promise<{ mtuBytes: number; keepaliveSeconds: number }> {
  const link = await node.exec(["ip", "-json", "link", "show", "dev", interfaceName]);
  const [{ mtu }] = JSON.parse(link.stdout);
  const { stdout } = await node.exec(["wg", "show", interfaceName, "persistent-keepalive"]);
  const keepalive = stdout.trim().split("\t")[1] ?? "off";
  return { mtuBytes: mtu, keepaliveSeconds: keepalive === "off" ? 0 : Number(keepalive) };
}

/** Its public key. */
async function createInterface(node: LabNode): Promise<string> {
  await addInterface(node, INTERFACE);
  const { file, publicKey } = await makeKey(node);
  await node.exec(["wg", "set", INTERFACE, "listen-port", String(PORT), "private-key", file]);
  return publicKey;
}

interface End {
  readonly address: string;
  readonly peer: LabNode;
  readonly peerKey: string;
  readonly peerAddress: string;
  readonly mtuBytes: number;
  readonly keepaliveSeconds: number;
}

async function configure(node: LabNode, end: End): Promise<void> {
  const peer = ["peer", end.peerKey, "endpoint", `${end.peer.ipv4}:${PORT}`, "allowed-ips", `${end.peerAddress}/32`];
  await node.exec(["wg", "set", INTERFACE, ...peer, "persistent-keepalive", String(end.keepaliveSeconds)]);
  await node.exec(["ip", "address", "add", `${end.address}/24`, "dev", INTERFACE]);
  await node.exec(["ip", "link", "set", "dev", INTERFACE, "mtu", String(end.mtuBytes), "up"]);
}
