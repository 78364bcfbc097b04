// WireGuard by hand, as its own documentation shows it: dave listens, alice calls him and keeps her NAT open.
import type { LabNode } from "../../e2e/lab/node.ts";
import { addInterface, makeKey } from "../lib/wireguard-by-hand.ts";
import type { Machines, MeshSystem } from "./system.ts";

const INTERFACE = "hand0";
const PORT = 51_999;
const ADDRESSES = { alice: "10.99.0.1", dave: "10.99.0.2" } as const;
/** What wg(8) recommends behind a NAT. */
const KEEPALIVE_SECONDS = 25;

export async function startHandMade({ alice, dave }: Machines): Promise<MeshSystem> {
  const keys = { alice: await makeKey(alice), dave: await makeKey(dave) };
  await begin(dave, keys.dave.file, [keys.alice.publicKey, "allowed-ips", `${ADDRESSES.alice}/32`]);
  const toDave = ["allowed-ips", `${ADDRESSES.dave}/32`, "endpoint", `${dave.ipv4}:${PORT}`];
  const { stdout } = await dave.exec(["wg", "--version"]);
  return {
    name: "handMade",
    version: stdout.split(" ")[1] ?? "",
    knows: "dave's address and key, as he knows hers",
    processes: [new RegExp(`wireguard-go ${INTERFACE}`)],
    async join() {
      const peer = [keys.dave.publicKey, ...toDave, "persistent-keepalive", String(KEEPALIVE_SECONDS)];
      await begin(alice, keys.alice.file, peer);
    },
    async leave() {
      await alice.exec(["ip", "link", "delete", "dev", INTERFACE], { allowFailure: true });
    },
    addressOf: async (machine) => ADDRESSES[machine],
  };
}

async function begin(node: LabNode, keyFile: string, peer: readonly string[]): Promise<void> {
  await addInterface(node, INTERFACE);
  await node.exec(["wg", "set", INTERFACE, "listen-port", String(PORT), "private-key", keyFile, "peer", ...peer]);
  const address = node.name === "alice" ? ADDRESSES.alice : ADDRESSES.dave;
  await node.exec(["ip", "address", "add", `${address}/24`, "dev", INTERFACE]);
  await node.exec(["ip", "link", "set", "dev", INTERFACE, "up"]);
}
