// What one WireGuard interface should be: the reconciler's input. Made from the desired state of a mesh by `toDesiredDevice`.
import type { Endpoint } from "#schema/address";
import type { MachineId, MeshId, WireGuardPublicKey } from "#schema/ids";
import type { Prefix } from "#schema/prefix";

export interface DesiredDevice {
  readonly meshId: MeshId;
  /** `bkt-` and at most 11 characters. */
  readonly interfaceName: string;
  readonly listenPort: number;
  /** The public half of the key in `privateKeyFile`; tells whether the device already has the right key. */
  readonly publicKey: WireGuardPublicKey;
  /** Path of a 0600 file that `wg set … private-key` reads: the key never reaches argv. */
  readonly privateKeyFile: string;
  readonly mtuBytes: number;
  /** Own addresses with the mesh's prefix lengths: `10.1.0.7/16`, `fd00::7/64`; then those of VIPs: `10.1.0.99/32`, `fd00::63/128`. */
  readonly addresses: readonly string[];
  readonly peers: readonly DesiredPeer[];
  /** False: what is behind the peers is not known yet. Allowed IPs that they have and should not have stay until it is. */
  readonly areRoutesKnown: boolean;
  /** Interfaces by which packets that came in on this one may leave again; none: it forwards nothing. */
  readonly forwardsTo: readonly string[];
  /** Networks behind this machine, into which it forwards what came in on this interface. */
  readonly networks: readonly AnnouncedNetwork[];
}

export interface AnnouncedNetwork {
  readonly prefix: Prefix;
  /** From the machine's own address there: the network has no way back to the mesh. */
  readonly isMasquerading: boolean;
}

export interface DesiredPeer {
  readonly machineId: MachineId;
  readonly publicKey: WireGuardPublicKey;
  /** Its addresses, `10.1.0.7/32` and `fd00::7/128`, then what is behind it. The security boundary: nothing that it was not authorised for. */
  readonly allowedIps: readonly string[];
  /** Where to send; null: wait for the peer. Written once for each version, never over a place that WireGuard has roamed to since. */
  readonly endpoint: Endpoint | null;
  /** Counts the decisions about `endpoint`; 0: what WireGuard has stays as it is. */
  readonly endpointVersion: number;
  /** The life of the peer's own interface; another one means that it has lost its sessions. Left out when it never told. */
  readonly deviceEpoch?: string;
  /** 0 is off. */
  readonly keepaliveSeconds: number;
}
