// `wg` and `wireguard-go`, as far as the agent uses them.
import type { Argv } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import { toPublicKey } from "../system/x25519.ts";
import { emptyDevice, emptyPeer, type FakeDevice, type FakeKernelState, type Reply } from "./fake-kernel-state.ts";

/** A handshake initiation is this long. */
const INITIATION_BYTES = 148;

export function runWireGuardGo(kernel: FakeKernelState, argv: Argv): Reply {
  const [, name = ""] = argv;
  if (name === "--version") return { stdout: "wireguard-go v0.0.20220316\n" };
  if (kernel.links.has(name)) return { stderr: "Failed to create TUN device: device or resource busy" };
  kernel.addLink(name, { kind: "tun", mtuBytes: 1_420, device: emptyDevice() });
  return { stdout: "" };
}

export async function runWg(kernel: FakeKernelState, argv: Argv, files: Files): Promise<Reply> {
  const [, command, name = "", ...args] = argv;
  if (command === "--version") return { stdout: `wireguard-tools v${kernel.toolsVersion} - https://git.zx2c4.com\n` };
  const device = kernel.links.get(name)?.device;
  if (!device) return { stderr: "Unable to access interface: Protocol not supported" };
  if (command === "show" && args.join(" ") === "dump") return { stdout: renderDump(device) };
  if (command !== "set") throw new Error(`the fake kernel does not know ${argv.join(" ")}`);
  return setDevice(kernel, name, device, { words: args, files });
}

interface Setting {
  readonly words: string[];
  readonly files: Files;
}

async function setDevice(
  kernel: FakeKernelState,
  name: string,
  device: FakeDevice,
  { words, files }: Setting,
): Promise<Reply> {
  let peerKey: string | undefined;
  while (words.length > 0) {
    const word = words.shift();
    if (word === "peer") {
      peerKey = words.shift() ?? "";
      if (words[0] === "remove") {
        words.shift();
        device.peers.delete(peerKey);
      } else if (!device.peers.has(peerKey) && peerKey !== device.publicKey) {
        device.peers.set(peerKey, emptyPeer());
      }
      continue;
    }
    const value = words.shift() ?? "";
    if (word === "listen-port") {
      if (isPortTaken(kernel, name, Number(value)))
        return { stderr: "Unable to modify interface: Address already in use" };
      device.listenPort = Number(value);
    } else if (word === "private-key") {
      device.privateKey = (await files.read(value))?.trim() ?? "";
      device.publicKey = toPublicKey(device.privateKey);
      device.peers.delete(device.publicKey);
    } else if (peerKey !== undefined) {
      setPeer(device, peerKey, word ?? "", value);
    }
  }
  return { stdout: "" };
}

function isPortTaken(kernel: FakeKernelState, name: string, port: number): boolean {
  const others = [...kernel.links].filter(([other, { isUp }]) => other !== name && isUp);
  return kernel.takenPorts.has(port) || others.some(([, { device }]) => device?.listenPort === port);
}

function setPeer(device: FakeDevice, publicKey: string, word: string, value: string): void {
  const peer = device.peers.get(publicKey);
  // Our own key as a peer: WireGuard leaves it out.
  if (peer === undefined) return;
  if (word === "endpoint") peer.endpoint = value;
  else if (word === "persistent-keepalive") {
    const wasOff = peer.keepaliveSeconds === 0;
    peer.keepaliveSeconds = Number(value);
    if (wasOff && peer.keepaliveSeconds > 0 && peer.endpoint !== null) peer.sentBytes += INITIATION_BYTES;
  } else if (word === "allowed-ips") {
    const words = value === "" ? [] : value.split(",");
    const isMore = words.length > 0 && words.every((network) => network.startsWith("+"));
    const networks = new Set(words.map((network) => network.replace("+", "")));
    for (const other of device.peers.values()) {
      if (other.allowedIps.some((network) => networks.has(network)))
        other.allowedIps = other.allowedIps.filter((network) => !networks.has(network));
    }
    peer.allowedIps = [...(isMore ? peer.allowedIps : []), ...networks];
  } else throw new Error(`the fake kernel does not know wg set … ${word}`);
}

function renderDump({ privateKey, publicKey, listenPort, peers }: FakeDevice): string {
  const lines = [...peers].map(([key, peer]) => [
    key,
    "(none)",
    peer.endpoint ?? "(none)",
    peer.allowedIps.join(",") || "(none)",
    Math.floor((peer.latestHandshakeMs ?? 0) / 1_000),
    peer.receivedBytes,
    peer.sentBytes,
    peer.keepaliveSeconds || "off",
  ]);
  return [[privateKey ?? "(none)", publicKey ?? "(none)", listenPort, "off"], ...lines]
    .map((line) => `${line.join("\t")}\n`)
    .join("");
}
