// What the paths of a mesh need from the machine.
import type { Endpoint } from "#schema/address";
import type { AnnouncementState } from "#schema/announcement-state";
import type { BgpSession } from "#schema/bgp";
import type { MachineId, MeshId, WireGuardPublicKey } from "#schema/ids";
import type { NatReport, NatSummary, StunServer } from "#schema/nat";
import type { Relays } from "../relay/relay-connection.ts";
import type { StunClient } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import type { ResolveHost } from "../system/resolve-host.ts";
import type { UdpSockets } from "../system/udp.ts";
import type { WireGuardDevice } from "../wireguard/parse-dump.ts";
import type { Birthdays } from "./checks/birthdays.ts";
import type { Pacer } from "./checks/pacer.ts";
import type { RuleBook } from "./checks/rule-book.ts";
import type { MeshNetworks } from "./mesh-networks.ts";

export interface PathPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly randomBytes: (count: number) => Buffer;
  readonly log: Logger;
  readonly files: Pick<Files, "read" | "readKernel">;
  readonly udp: UdpSockets;
  readonly relays: Relays;
  readonly rules: RuleBook;
  readonly birthdays: Birthdays;
  readonly pacer: Pacer;
  readonly machine: MachineView;
  readonly meshNetworks: MeshNetworks;
  readonly resolveHost: ResolveHost;
  readonly readDevice: (interfaceName: string) => Promise<WireGuardDevice | null>;
  readonly createKeys: CreateKeys;
  readonly routing: RoutingFacts;
}

/** What is told of routing to whoever looks at a mesh's paths. */
export interface RoutingFacts {
  /** Looks, for `sessionWith`. */
  readSessions(meshId: MeshId): Promise<void>;
  sessionWith(meshId: MeshId, peerId: MachineId): BgpSession;
  announcementsOf(meshId: MeshId): readonly AnnouncementState[];
}

/** The keys of checks with the peers of one mesh, made when they are needed first. */
export type CreateKeys = (
  privateKeyFile: string,
  publicKeyOf: (peerId: MachineId) => WireGuardPublicKey | null,
) => CheckKeys;

export interface CheckKeys {
  /**
   * First the one to send with, then those that are taken as well; none: no peer. Rejects when the private key can't be read: the disk may fail,
   * or the mesh be left meanwhile.
   */
  of(peerId: MachineId): Promise<readonly Uint8Array[]>;
  /** The peer has sent something that is authentic by this one. */
  noteUsed(peerId: MachineId, key: Uint8Array): Promise<void>;
  /** The file holds another private key. */
  ownKeyChanged(): void;
}

/** What is the same in all meshes of this machine. */
export interface MachineView {
  stunServers(): readonly StunServer[];
  nat(): NatSummary | null;
  report(): NatReport | null;
  keepaliveSeconds(): number;
  /** UDP ports that a router has opened for us. */
  mappings(): readonly { readonly port: number; readonly endpoint: Endpoint; readonly protocol: string }[];
  readonly staticEndpoints: readonly Endpoint[];
  /** A mesh's WireGuard port, and who asks STUN servers from it; null: no longer. */
  setVoice(localPort: number, client: StunClient | null): void;
}
