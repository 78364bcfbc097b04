// From what the control plane says of a mesh, and what this machine keeps for itself, to one WireGuard interface. Pure.
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import type { MachineId, MeshId, WireGuardPublicKey } from "#schema/ids";
import type { AnnouncedNetwork, DesiredDevice, DesiredPeer } from "./desired-device.ts";
import type { PathDecision } from "./path-decision.ts";
import type { RoutedPrefixes } from "./to-routed-prefixes.ts";

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
  /** Null: nothing is decided yet. */
  readonly decisionOf: (peerId: MachineId) => PathDecision | null;
  readonly peerCache: PeerCache;
  /** Of all meshes in which this machine is a gateway; left out: of none. */
  readonly gatewayInterfaces?: readonly string[];
  /** Of VIPs that this machine announces right now, as `/32` and `/128`. */
  readonly heldAddresses: readonly string[];
  /** The networks behind this machine (`toAnnouncedNetworks`). */
  readonly networks: readonly AnnouncedNetwork[];
  /** What is behind whom (`toRoutedPrefixes`). Null: not known yet. */
  readonly routed: RoutedPrefixes | null;
}

/**
 * Keeps the peer that a row, a decision and what is behind it gave, as long as all three are the same objects (a session keeps the rows that did
 * not change): in a mesh of a thousand, one change costs one peer.
 */
export interface PeerCache {
  toPeer(row: PeerRow, decision: PathDecision, behind: readonly string[]): DesiredPeer;
}

interface CachedPeer {
  readonly decision: PathDecision;
  readonly behind: readonly string[];
  readonly peer: DesiredPeer;
}

export function createPeerCache(): PeerCache {
  const peers = new WeakMap<PeerRow, CachedPeer>();
  return {
    toPeer(row, decision, behind) {
      const known = peers.get(row);
      if (known?.decision === decision && known.behind === behind) return known.peer;
      const peer = toDesiredPeer(row, decision, behind);
      peers.set(row, { decision, behind, peer });
      return peer;
    },
  };
}

/** What fits into an Ethernet frame of 1,500 bytes behind IPv6, UDP and WireGuard (80 bytes): WireGuard's own default. */
const MTU_BYTES = 1_420;
const NOTHING: readonly string[] = [];
const UNDECIDED: PathDecision = { endpoint: null, version: 0, keepaliveSeconds: 0, gatewayId: null };

/** Null while this machine is not among the members: then it has no address yet. */
export function toDesiredDevice(inputs: Inputs): DesiredDevice | null {
  const { desired, machineId, device, decisionOf, peerCache, heldAddresses, networks, routed } = inputs;
  const self = desired.members.find((member) => member.machineId === machineId);
  if (self === undefined) return null;
  const peers = desired.members
    .filter((member) => member.machineId !== machineId)
    .map((member) => {
      const decision = decisionOf(member.machineId) ?? UNDECIDED;
      return {
        peer: peerCache.toPeer(member, decision, routed?.get(member.machineId) ?? NOTHING),
        gatewayId: decision.gatewayId,
      };
    });
  return {
    ...device,
    meshId: desired.mesh.id,
    mtuBytes: MTU_BYTES,
    addresses: [
      `${self.address}/${toPrefixLength(desired.mesh.cidr)}`,
      `${self.address6}/${toPrefixLength(desired.mesh.cidr6)}`,
      ...heldAddresses,
    ],
    peers: throughGateways(peers),
    areRoutesKnown: routed !== null,
    forwardsTo: self.isGateway ? toForwarded(inputs) : [],
    networks,
  };
}

/** Before anybody has said what is in the mesh: an interface with its key and port, to which addresses and peers need only be added. */
export function toBareDevice(
  meshId: MeshId,
  { interfaceName, listenPort, publicKey, privateKeyFile }: LocalDevice,
): DesiredDevice {
  return {
    ...{ meshId, interfaceName, listenPort, publicKey, privateKeyFile, mtuBytes: MTU_BYTES },
    ...{ addresses: [], peers: [], areRoutesKnown: false, forwardsTo: [], networks: [] },
  };
}

/** To members of its meshes only: what else this machine can reach is none of theirs. From member to member of one mesh where transit is used. */
function toForwarded({ desired, device, gatewayInterfaces = [] }: Inputs): string[] {
  const others = gatewayInterfaces.filter((name) => name !== device.interfaceName);
  return desired.mesh.fallback === "relay" ? others : [device.interfaceName, ...others];
}

/** WireGuard picks the peer by destination, and takes a source only from the peer that has it: both ends give the other to the gateway. */
function throughGateways(peers: readonly { peer: DesiredPeer; gatewayId: MachineId | null }[]): DesiredPeer[] {
  const present = new Set(peers.map(({ peer }) => peer.machineId));
  const through = peers.filter(({ gatewayId }) => gatewayId !== null && present.has(gatewayId));
  if (through.length === 0) return peers.map(({ peer }) => peer);
  return peers.map((one) => {
    if (through.includes(one)) return { ...one.peer, allowedIps: [] };
    const taken = through.filter(({ gatewayId }) => gatewayId === one.peer.machineId);
    if (taken.length === 0) return one.peer;
    return { ...one.peer, allowedIps: [...one.peer.allowedIps, ...taken.flatMap(({ peer }) => peer.allowedIps)] };
  });
}

function toDesiredPeer(
  member: PeerRow,
  { endpoint, version, keepaliveSeconds }: PathDecision,
  behind: readonly string[],
): DesiredPeer {
  return {
    machineId: member.machineId,
    publicKey: member.publicKey,
    allowedIps: [`${member.address}/32`, `${member.address6}/128`, ...behind],
    endpoint,
    endpointVersion: version,
    keepaliveSeconds,
    ...(member.deviceEpoch === undefined ? {} : { deviceEpoch: member.deviceEpoch }),
  };
}

function toPrefixLength(cidr: string): number {
  return Number(cidr.split("/")[1]);
}
