// From what the control plane says of a mesh, and what this machine keeps for itself, to one WireGuard interface. Pure.
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import type { MachineId, WireGuardPublicKey } from "#schema/ids";
import { EAGER_MEMBERS } from "#schema/limits";
import type { LocalAddress } from "../net/local-addresses.ts";
import { chooseEndpoint, type Surroundings, toSurroundings } from "./choose-endpoint.ts";
import type { DesiredDevice, DesiredPeer } from "./desired-device.ts";

/** What the machine decided for itself when it joined the mesh, and keeps. */
export interface LocalDevice {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly publicKey: WireGuardPublicKey;
  readonly privateKeyFile: string;
}

interface Inputs {
  readonly desired: DesiredMesh;
  readonly machineId: MachineId;
  readonly device: LocalDevice;
  readonly localAddresses: readonly LocalAddress[];
  readonly peerCache: PeerCache;
}

/**
 * Keeps the peer that a row gave, as long as the row is the same object (a session keeps the rows that did not change) and this machine's
 * addresses are too: in a mesh of a thousand, one changed row costs one peer.
 */
export interface PeerCache {
  toPeer(row: PeerRow, isEager: boolean, localAddresses: readonly LocalAddress[]): DesiredPeer;
}

export function createPeerCache(): PeerCache {
  let addresses: readonly LocalAddress[] | null = null;
  let surroundings = toSurroundings([]);
  let eager = new WeakMap<PeerRow, DesiredPeer>();
  let calm = new WeakMap<PeerRow, DesiredPeer>();
  return {
    toPeer(row, isEager, localAddresses) {
      if (addresses !== localAddresses) {
        addresses = localAddresses;
        surroundings = toSurroundings(localAddresses);
        eager = new WeakMap();
        calm = new WeakMap();
      }
      const peers = isEager ? eager : calm;
      const known = peers.get(row);
      if (known !== undefined) return known;
      const peer = toDesiredPeer(row, isEager, surroundings);
      peers.set(row, peer);
      return peer;
    },
  };
}

/** What fits into an Ethernet frame of 1,500 bytes behind IPv6, UDP and WireGuard (80 bytes): WireGuard's own default. */
const MTU_BYTES = 1_420;
/** Seconds. Under the 30 s after which common NATs forget a mapping. */
const KEEPALIVE_SECONDS = 25;

/** Null while this machine is not among the members: then it has no address yet. */
export function toDesiredDevice({
  desired,
  machineId,
  device,
  localAddresses,
  peerCache,
}: Inputs): DesiredDevice | null {
  const self = desired.members.find((member) => member.machineId === machineId);
  if (self === undefined) return null;
  const isEager = desired.members.length <= EAGER_MEMBERS;
  return {
    ...device,
    meshId: desired.mesh.id,
    mtuBytes: MTU_BYTES,
    addresses: [
      `${self.address}/${toPrefixLength(desired.mesh.cidr)}`,
      `${self.address6}/${toPrefixLength(desired.mesh.cidr6)}`,
    ],
    peers: desired.members
      .filter((member) => member.machineId !== machineId)
      .map((member) => peerCache.toPeer(member, isEager, localAddresses)),
  };
}

function toDesiredPeer(member: PeerRow, isEager: boolean, surroundings: Surroundings): DesiredPeer {
  const { endpoint, isBehindNat } = chooseEndpoint(member.candidates, surroundings);
  // In a large mesh only a mapping that nobody else could open is worth a packet every 25 s: that of our own NAT.
  const isKeptWarm = isEager || isBehindNat;
  return {
    machineId: member.machineId,
    publicKey: member.publicKey,
    allowedIps: [`${member.address}/32`, `${member.address6}/128`],
    endpoint,
    toldEndpoints: member.candidates.map((candidate) => candidate.endpoint),
    keepaliveSeconds: isKeptWarm ? KEEPALIVE_SECONDS : 0,
    ...(member.deviceEpoch === undefined ? {} : { deviceEpoch: member.deviceEpoch }),
  };
}

function toPrefixLength(cidr: string): number {
  return Number(cidr.split("/")[1]);
}
