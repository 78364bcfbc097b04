// Every message between a Mesh object and whoever watches the mesh over its WebSocket. Unknown fields are stripped; a message of an unknown
// type is left unread by both ends.
import { z } from "zod";
import { MachineAnnouncement } from "../api/machine-routing.ts";
import { Epoch, Revision } from "../desired-state.ts";
import { MachineId } from "../ids.ts";
import { NatReport } from "../nat.ts";
import { ObservedEndpoint, PeerExplanation, PeerTelemetry } from "../path.ts";
import { MAX_EXPLAINED_PEERS, MAX_NAMED_MACHINES, MAX_WATCHED_MACHINES } from "./pace.ts";

/**
 * What may change. `mesh`: its settings. `members`: who is in it, and how far each member is. `machines`: a member's name or flags.
 * `presence`: somebody connected or went. `network`: what a member tells of where it is. `links`: link events. `routes`, `vips`.
 * `rib`: the routes that a watched machine knows of.
 * `lists`: D1 has what changed here before, so lists across meshes and the audit trail show it.
 */
export const LIVE_RESOURCES = [
  ...(["mesh", "members", "machines", "presence", "network"] as const),
  ...(["links", "routes", "vips", "rib", "lists"] as const),
] as const;
export type LiveResource = (typeof LIVE_RESOURCES)[number];
/** In place of them, to a watcher that was told nothing for a while: ask for all that you show of the mesh. */
export const ANYTHING = "anything";

/** Names a frame, by what its reader alone can know. Null where a version of ours before the second one sent it. */
const mark = z.string().max(64).nullable().default(null);

/** First on every socket: what comes from here on is told. */
export const LiveWelcome = z.object({
  type: z.literal("live.welcome"),
  liveVersion: z.number().int().min(1),
  epoch: Epoch,
  revision: Revision,
});
export type LiveWelcome = z.infer<typeof LiveWelcome>;

export const LiveChange = z.object({
  /** One of LIVE_RESOURCES, or ANYTHING; one that the reader does not know may be anything of the mesh. */
  resource: z.string(),
  /** Whom it is about; null: it is about no machine, or about too many to name. */
  machineIds: z.array(MachineId).max(MAX_NAMED_MACHINES).nullable(),
});
export type LiveChange = z.infer<typeof LiveChange>;
/** These changed, and the mesh is at this revision: ask for what you show of them. Changes that come close together are one message. */
export const LiveChanged = z.object({
  type: z.literal("live.changed"),
  revision: Revision,
  changes: z.array(LiveChange),
  mark,
});
export type LiveChanged = z.infer<typeof LiveChanged>;

/** What a machine that is watched said of its links in this mesh, about once a second. */
export const LiveTelemetry = z.object({
  type: z.literal("live.telemetry"),
  machineId: MachineId,
  /** By the object's clock, milliseconds since the epoch. */
  receivedAt: z.number(),
  peers: z.array(PeerTelemetry),
  /** Of the peers that were asked for. */
  explanations: z.array(PeerExplanation),
  endpoints: z.array(ObservedEndpoint),
  nat: NatReport.nullable(),
  announcements: z.array(MachineAnnouncement),
  mark,
});
export type LiveTelemetry = z.infer<typeof LiveTelemetry>;

export const FromLiveMessage = z.discriminatedUnion("type", [LiveWelcome, LiveChanged, LiveTelemetry]);
export type FromLiveMessage = z.infer<typeof FromLiveMessage>;

export const WatchedMachine = z.object({
  machineId: MachineId,
  /** Peers whose paths are to be explained. */
  explain: z.array(MachineId).max(MAX_EXPLAINED_PEERS).default([]),
});
export type WatchedMachine = z.infer<typeof WatchedMachine>;
/** These machines' telemetry, and no other's from here on. Said again as long as somebody looks (WATCH_RENEW_MS). */
export const LiveWatch = z.object({
  type: z.literal("live.watch"),
  machines: z.array(WatchedMachine).max(MAX_WATCHED_MACHINES),
  /** The mark of the newest frame that came over this socket. */
  seenMark: mark,
});
export type LiveWatch = z.infer<typeof LiveWatch>;

export const ToLiveMessage = z.discriminatedUnion("type", [LiveWatch]);
export type ToLiveMessage = z.infer<typeof ToLiveMessage>;
