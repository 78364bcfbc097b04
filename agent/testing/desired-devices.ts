// Short ways to say what there should be, and keys that a person can tell apart in a test's output.
import type { Endpoint } from "#schema/address";
import type { MachineId, MeshId, WireGuardPublicKey } from "#schema/ids";
import type { DesiredDevice, DesiredPeer } from "../reconcile/desired-device.ts";
import { toPublicKey } from "../system/x25519.ts";
import { createMemoryFiles, type MemoryFiles } from "./memory-files.ts";

export const MESH_A = "msh_01arz3ndektsv4rrffq69g5faa" as MeshId;
export const MESH_B = "msh_01arz3ndektsv4rrffq69g5fab" as MeshId;

/** A peer's key from one letter or digit. */
export const keyOf = (letter: string) => `${letter.repeat(42)}A=` as WireGuardPublicKey;

/** Own private keys, by number. */
const privateKeyOf = (number: number) => Buffer.alloc(32, number * 8 + 64).toString("base64");
const ownKeyFile = (number: number) => `/keys/${number}`;
const OWN_KEYS = [1, 2, 3, 4];

export function createKeyFiles(): MemoryFiles {
  return createMemoryFiles(
    Object.fromEntries(OWN_KEYS.map((number) => [ownKeyFile(number), `${privateKeyOf(number)}\n`])),
  );
}

export function ownKey(number: number): Pick<DesiredDevice, "publicKey" | "privateKeyFile"> {
  return { publicKey: toPublicKey(privateKeyOf(number)), privateKeyFile: ownKeyFile(number) };
}

export function deviceOf(changes: Partial<DesiredDevice> = {}): DesiredDevice {
  return {
    meshId: MESH_A,
    interfaceName: "bkt-a",
    listenPort: 51_820,
    ...ownKey(1),
    mtuBytes: 1_420,
    addresses: ["10.1.0.1/16", "fd00:1::1/64"],
    peers: [],
    areRoutesKnown: true,
    forwardsTo: [],
    networks: [],
    ...changes,
  };
}

/** A peer of mesh A: its key by letter, its host number. */
export function peerOf(letter: string, host: number, changes: Partial<DesiredPeer> = {}): DesiredPeer {
  return {
    machineId: `mch_${letter}` as MachineId,
    publicKey: keyOf(letter),
    allowedIps: [`10.1.0.${host}/32`, `fd00:1::${host}/128`],
    endpoint: `192.0.2.${host}:51820` as Endpoint,
    endpointVersion: 1,
    keepaliveSeconds: 25,
    ...changes,
  };
}

/** Puts `A` for the key of peer A, and `OWN1` for our first key. */
export function shortenKeys(text: string): string {
  const own = OWN_KEYS.reduce((rest, number) => rest.replaceAll(ownKey(number).publicKey, `OWN${number}`), text);
  return own
    .replace(/(\w)\1{41}A=/g, "$1")
    .replaceAll(MESH_A, "A")
    .replaceAll(MESH_B, "B");
}
