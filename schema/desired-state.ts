// What one machine should be in one mesh: the agent's input, kept on its disk so that it starts without the control plane.
import { z } from "zod";
import { Endpoint, Ipv4, Ipv6, Ipv6Cidr } from "./address.ts";
import { HealthCheck } from "./health-check.ts";
import { MachineId, MeshId, RouteId, VipId, WireGuardPublicKey } from "./ids.ts";
import { MAX_ENDPOINTS_PER_MEMBER } from "./limits.ts";
import { Fallback, KeyRotationDays, MeshCidr, Name, PrivateAsn } from "./mesh.ts";
import { NatSummary } from "./nat.ts";
import { NO_POLICIES, Policies } from "./policy.ts";
import { Prefix } from "./prefix.ts";

/** How an endpoint was learnt. */
export const EndpointType = z.enum(["host", "stun", "port_mapped", "peer_observed", "mesh_observed", "static"]).meta({
  id: "EndpointType",
  description:
    "How an endpoint was learnt: `host`, an address of the machine; `stun`, a STUN server saw it; `port_mapped`, a router opened it; `peer_observed`, a peer's check saw it; `mesh_observed`, a peer's WireGuard receives from it; `static`, configured.",
  examples: ["stun"],
});
export type EndpointType = z.infer<typeof EndpointType>;

/** An endpoint worth trying. */
export const Candidate = z.object({ type: EndpointType, endpoint: Endpoint });
export type Candidate = z.infer<typeof Candidate>;
export const Candidates = z.array(Candidate).max(MAX_ENDPOINTS_PER_MEMBER);

/**
 * The life of a machine's WireGuard interface in a mesh: another one means that it was made anew (the machine booted), so all its sessions
 * are gone, and whoever still has one must shake hands again. WireGuard alone would go on sending into the lost session for up to 120 s.
 */
export const DeviceEpoch = z.string().regex(/^[a-z0-9]{1,16}$/);
export type DeviceEpoch = z.infer<typeof DeviceEpoch>;

/** A member as the others need it. Only members that have said hello (and so have a key) are shown to others. */
export const PeerRow = z.object({
  machineId: MachineId,
  name: Name,
  address: Ipv4,
  address6: Ipv6,
  publicKey: WireGuardPublicKey,
  /** When it told of this key, milliseconds since the epoch by the control plane's clock. Left out by control planes before keys were replaced. */
  keySinceMs: z.number().int().nonnegative().optional(),
  candidates: Candidates,
  /** Left out by members that never told one. */
  deviceEpoch: DeviceEpoch.optional(),
  /** Left out until it is known. */
  nat: NatSummary.optional(),
  /** False: it can't speak from WireGuard's port (no nftables there), so checks to it get no answer. */
  answersChecks: z.boolean().default(true),
  /** It forwards for pairs that have no direct path, where the mesh's `fallback` allows it. */
  isGateway: z.boolean().default(false),
});
export type PeerRow = z.infer<typeof PeerRow>;

/** The settings of a mesh that its members need. */
export const MeshSettings = z.object({
  id: MeshId,
  name: Name,
  cidr: MeshCidr,
  cidr6: Ipv6Cidr,
  asn: PrivateAsn,
  fallback: Fallback.default("relay"),
  /** Members speak BGP with gateways only, which pass on what each tells. The mesh has a gateway as long as this is true. */
  routeReflectorMode: z.boolean().default(false),
  keyRotationDays: KeyRotationDays.default(null),
  /** What its gateways import from other meshes, and export to them. All members know it: what a gateway brings is looked at once more. */
  policies: Policies.default(NO_POLICIES),
});
export type MeshSettings = z.infer<typeof MeshSettings>;

/** Of a route or a VIP. */
export const AnnouncementId = z.union([RouteId, VipId]);
export type AnnouncementId = z.infer<typeof AnnouncementId>;

/** Which members may announce these prefixes. Without machines: nobody, any more. */
export const AnnouncementRow = z.object({
  id: AnnouncementId,
  prefixes: z.array(Prefix),
  machineIds: z.array(MachineId),
});
export type AnnouncementRow = z.infer<typeof AnnouncementRow>;

/** What a machine itself has to announce: the prefixes of the row with this id. Only that machine is told it. */
export const Duty = z.object({
  id: AnnouncementId,
  /** The machine holds the addresses itself while it announces them. */
  isVip: z.boolean().default(false),
  isMasquerading: z.boolean().default(false),
  /** Announced only while it passes; null: always. */
  healthCheck: HealthCheck.nullable().default(null),
});
export type Duty = z.infer<typeof Duty>;

/**
 * The life of one revision counter: minted when a mesh is made. A position is only valid within its epoch, so whatever sets a counter
 * back must mint another: restoring a mesh from a backup will have to.
 */
export const Epoch = z.string().min(1).max(40);
export const Revision = z.number().int().nonnegative();

export const DesiredMesh = z.object({
  mesh: MeshSettings,
  epoch: Epoch,
  revision: Revision,
  /** Every member with a key, this machine included. */
  members: z.array(PeerRow),
  /** All that any member may announce. Null: never heard of, because an agent kept this that did not ask. */
  announcements: z.array(AnnouncementRow).nullable().default(null),
  duties: z.array(Duty).default([]),
  /** The machine's own: what it takes from other members, and what it announces to them. */
  policies: Policies.default(NO_POLICIES),
});
export type DesiredMesh = z.infer<typeof DesiredMesh>;
