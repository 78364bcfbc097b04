// What BIRD should do for one mesh on this machine: the input of renderConfig.
import type { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";
import type { Policies } from "#schema/policy";

export type Prefix = Ipv4Cidr | Ipv6Cidr;

export interface BirdConfig {
  readonly interfaceName: string;
  readonly asn: number;
  readonly cidr: Ipv4Cidr;
  readonly cidr6: Ipv6Cidr;
  readonly address: Ipv4;
  readonly address6: Ipv6;
  /**
   * Of the routes that this BIRD puts into the kernel's main table, and of no others on this machine: a BIRD removes what carries its own
   * metric and protocol number, and nothing else.
   */
  readonly kernelMetric: number;
  /** The networks of this machine's other meshes: nobody in this mesh can draw away a part of them. */
  readonly networksOfOtherMeshes: readonly Prefix[];
  readonly logFile: string;
  /** It tells members what it hears from others. */
  readonly isGateway: boolean;
  /**
   * Members are to take this machine's prefixes from gateways, too: its sessions with them are about to go, are gone, or are not all there yet. Without
   * that a copy is refused, as it would outlive the path to this machine, which only the session with it watches. Of no use on a gateway.
   */
  readonly isReflected: boolean;
  /** The others. */
  readonly members: readonly BirdMember[];
  readonly announcements: readonly Announcement[];
  /** Of the mesh: at its gateways' links to other meshes. Members look once more, by prefix, at what comes from there. */
  readonly meshPolicies: Policies;
  /** Of this machine: what it takes from other members, and what it announces to them. */
  readonly machinePolicies: Policies;
  /** To this machine's BIRDs of other meshes; empty unless it is a gateway. */
  readonly gatewayLinks: readonly GatewayLink[];
}

export interface BirdMember {
  readonly machineId: MachineId;
  /** For people. Any text. */
  readonly name: string;
  readonly address: Ipv4;
  readonly address6: Ipv6;
  /** False: there is nothing to tell, or its routes come by the gateways. */
  readonly hasSession: boolean;
  readonly bfd: BfdUse;
  /** It tells of any member's prefixes. */
  readonly isGateway: boolean;
  /** Exactly these may come from it: its routes, and the host routes of the VIPs that it may hold. */
  readonly prefixes: readonly Prefix[];
  /** A gateway: it may also bring these, and what is inside them, from other meshes. */
  readonly prefixesOfOtherMeshes: readonly Prefix[];
}

/**
 * Whether the session watches the path between the two; both ends have to. One that ends it has the neighbour wait 180 s for the next word first
 * (`ending`, for some seconds): else the neighbour takes the silence for our end, unless it stops listening within a second.
 */
export type BfdUse = "off" | "on" | "ending";

/** `withheld`: not announced, as when its health check fails. `leaving`: others take over; until they have, it is the last choice (RFC 8326). */
export type AnnouncementState = "announced" | "leaving" | "withheld";

export interface Announcement {
  /** Names it in BIRD. Unique; letters, digits and underscores. */
  readonly id: string;
  readonly prefixes: readonly Prefix[];
  readonly state: AnnouncementState;
}

/** One end of the eBGP session between two BIRDs on one machine. */
export interface GatewayLink {
  /** The other mesh. */
  readonly meshId: MeshId;
  readonly asn: number;
  /** Both in 127.0.0.0/8, each used by one link only. */
  readonly localAddress: Ipv4;
  readonly remoteAddress: Ipv4;
  /** This machine's in the other mesh: the next hops of what comes from there. */
  readonly meshAddress: Ipv4;
  readonly meshAddress6: Ipv6;
  /** These, and what is inside them, may come from the other mesh. */
  readonly prefixes: readonly Prefix[];
}
