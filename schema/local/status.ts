// What `becket status --json`, `becket peers --json` and `becket version --json` print, and the local socket answers. Stable: fields are
// added, never changed.
import { z } from "zod";
import { Ipv4, Ipv6 } from "../address.ts";
import { AnnouncementState } from "../announcement-state.ts";
import { BgpSession, NO_SESSION, RibRoute } from "../bgp.ts";
import { MachineId, MeshId, WireGuardPublicKey } from "../ids.ts";
import { StepFailure } from "../machine.ts";
import { Name } from "../mesh.ts";
import { NatReport } from "../nat.ts";
import { PathKind, PathReason, PeerExplanation } from "../path.ts";
import { Prefix } from "../prefix.ts";

/** `connected` by `transport`; `waiting` tries again by itself; `stopped` does not. */
export const LinkStatus = z.object({
  state: z.enum(["connecting", "connected", "waiting", "stopped"]),
  transport: z.enum(["websocket", "long-poll"]).nullable(),
  /** Why it is not connected; null when it is. */
  reason: z.string().nullable(),
});
export type LinkStatus = z.infer<typeof LinkStatus>;

export const MeshStatus = z.object({
  meshId: MeshId,
  name: z.string(),
  interfaceName: z.string(),
  listenPort: z.number().int(),
  publicKey: WireGuardPublicKey,
  /** When the mesh was told of this key; null until it says so. */
  keySince: z.iso.datetime().nullable().default(null),
  /** Null until the mesh told them. */
  address: Ipv4.nullable(),
  address6: Ipv6.nullable(),
  peers: z.number().int(),
  peersUp: z.number().int(),
  /** The newest revision known, and the newest one that the system follows. */
  revision: z.number().int().nullable(),
  appliedRevision: z.number().int().nullable(),
  link: LinkStatus,
  /** What this machine has to announce in the mesh, and whether it does. */
  announcements: z.array(AnnouncementState.extend({ prefixes: z.array(Prefix) })).default([]),
  failures: z.array(StepFailure),
});
export type MeshStatus = z.infer<typeof MeshStatus>;

export const AgentStatus = z.object({
  version: z.string(),
  pid: z.number().int(),
  startedAt: z.iso.datetime(),
  /** Null while it is enrolling. */
  machine: z.object({ machineId: MachineId, name: Name }).nullable(),
  controlPlane: z.object({ url: z.string().nullable(), link: LinkStatus }),
  meshes: z.array(MeshStatus),
  /** Of the agent itself, such as a disk that can't be written. */
  failures: z.array(StepFailure),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/**
 * `up`: packets pass, the last handshake is recent. `idle`: no handshake lately and none needed, nothing was sent.
 * `waiting`: not reached; `reason` says why.
 */
export const PeerState = z.enum(["up", "idle", "waiting"]);
export type PeerState = z.infer<typeof PeerState>;

export const PeerStatus = z.object({
  meshId: MeshId,
  mesh: z.string(),
  machineId: MachineId,
  machine: z.string(),
  address: Ipv4,
  address6: Ipv6,
  publicKey: WireGuardPublicKey,
  /** Where WireGuard sends to on a direct path; null on any other. */
  endpoint: z.string().nullable(),
  lastHandshakeAt: z.iso.datetime().nullable(),
  handshakeAgeSeconds: z.number().nullable(),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  state: PeerState,
  path: PathKind,
  /** Why this path. */
  pathReason: PathReason.nullable(),
  /** Round-trip time of the path, smoothed; null until measured. */
  latencyMs: z.number().nullable(),
  /** Null when there is nothing to say. */
  reason: z.string().nullable(),
  bgp: BgpSession.default(NO_SESSION),
});
export type PeerStatus = z.infer<typeof PeerStatus>;

export const PeerList = z.object({ peers: z.array(PeerStatus) });
export type PeerList = z.infer<typeof PeerList>;

export const VersionInfo = z.object({
  version: z.string(),
  wireVersion: z.number().int(),
  node: z.string(),
  /** The running agent's, which may be older than this program; null when none runs. */
  agentVersion: z.string().nullable(),
});
export type VersionInfo = z.infer<typeof VersionInfo>;

/** Body of POST /v1/explain: a machine's name or id, or its mesh IP. */
export const ExplainRequest = z.object({ peer: z.string().min(1).max(255) });
/** What `becket explain PEER --json` prints: one for each mesh that both are in. */
export const ExplainReply = z.object({ paths: z.array(PeerExplanation) });
export type ExplainReply = z.infer<typeof ExplainReply>;

/** What `becket netcheck --json` prints; null: the machine is in no mesh, so there is no port to ask from, or no STUN server is named. */
export const NetcheckReply = z.object({ report: NatReport.nullable() });
export type NetcheckReply = z.infer<typeof NetcheckReply>;

/** Body of POST /v1/routes: null: all routes; else those that contain the prefix or are inside it. */
export const RoutesRequest = z.object({ prefix: Prefix.nullable().default(null) });
/** What `becket routes --json` prints. */
export const RoutesReply = z.object({
  routes: z.array(RibRoute.extend({ meshId: MeshId, mesh: z.string() })),
  /** There are more: ask for a prefix. */
  isTruncated: z.boolean(),
  /** Meshes of which nothing can be shown, and why. */
  problems: z.array(z.object({ meshId: MeshId, mesh: z.string(), message: z.string() })),
});
export type RoutesReply = z.infer<typeof RoutesReply>;

/** Body of POST /v1/down: removes every interface and ends the agent. */
export const DownRequest = z.object({
  /** Also forget who this machine is: identity, keys, cache. */
  forget: z.boolean().default(false),
});
export const DownReply = z.object({ removed: z.array(z.string()) });
export type DownReply = z.infer<typeof DownReply>;

/** Paths of the local API on the agent's socket. */
export const LOCAL_PATHS = {
  status: "/v1/status",
  peers: "/v1/peers",
  explain: "/v1/explain",
  netcheck: "/v1/netcheck",
  routes: "/v1/routes",
  down: "/v1/down",
} as const;

/** Any failure there. */
export const LocalProblem = z.object({ code: z.string(), message: z.string() });
