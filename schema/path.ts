// How a pair of members talks, and why so.
import { z } from "zod";
import { Endpoint } from "./address.ts";
import { BgpSession, NO_SESSION } from "./bgp.ts";
import { EndpointType } from "./desired-state.ts";
import { MachineId, MeshId } from "./ids.ts";
import { NatSummary } from "./nat.ts";
import { SpokenText } from "./spoken-text.ts";
import { Timestamp } from "./timestamp.ts";

/**
 * `direct`: from machine to machine; `relayed`: sealed packets through a Relay object; `transit`: through a gateway, which decrypts;
 * `none`: no path at the moment.
 */
export const PathKind = z.enum(["direct", "relayed", "transit", "none"]).meta({
  id: "PathKind",
  description:
    "`direct`: from machine to machine. `relayed`: through a Relay object, sealed end to end. `transit`: through a gateway, which decrypts and encrypts again. `none`: no path at the moment.",
  examples: ["direct"],
});
export type PathKind = z.infer<typeof PathKind>;

/** `up`: packets pass. `idle`: nothing was sent, so nothing was tried. `connecting`: being tried. `down`: nothing works. */
export const PeerConnectivity = z.enum(["up", "idle", "connecting", "down"]).meta({
  id: "PeerConnectivity",
  description: "`up`: packets pass. `idle`: nothing to send. `connecting`: being tried. `down`: nothing works.",
  examples: ["up"],
});
export type PeerConnectivity = z.infer<typeof PeerConnectivity>;

/** What became of one candidate in the newest round of checks. */
export const CandidateOutcome = z
  .object({
    endpoint: Endpoint.meta({ description: "Where checks were sent.", examples: ["198.51.100.7:51820"] }),
    type: EndpointType,
    outcome: z.enum(["untried", "checking", "answered", "no_answer", "unreachable"]).meta({
      description: "`unreachable`: this machine has no way there (another address family, or its own address).",
      examples: ["answered"],
    }),
    roundTripMs: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: "Of the newest answer, milliseconds.", examples: [12.5] }),
    lastTriedAt: Timestamp.nullable().describe("When the newest check was sent."),
  })
  .meta({ id: "CandidateOutcome", description: "A candidate of a peer, and what became of it." });
export type CandidateOutcome = z.infer<typeof CandidateOutcome>;

/** Stable codes of why a pair is not direct (or not yet). */
export const PathReasonCode = z.enum([
  "direct",
  "idle",
  "checking",
  "no_answer",
  "hard_nats",
  "udp_blocked_here",
  "udp_blocked_there",
  "no_common_family",
  "no_candidates",
  "peer_offline",
  "path_died",
  "relay_unavailable",
  "transit_chosen",
  "checks_unavailable",
]);
export type PathReasonCode = z.infer<typeof PathReasonCode>;

export const PathReason = z
  .object({
    code: PathReasonCode.describe("Why, for programs."),
    message: SpokenText.meta({
      description: "Why, for people.",
      examples: ["relayed: both machines are behind NATs that give every destination another port"],
    }),
  })
  .meta({ id: "PathReason", description: "Why a pair talks the way it does." });
export type PathReason = z.infer<typeof PathReason>;

/** A peer as one machine sees it right now. */
export const PeerTelemetry = z
  .object({
    meshId: MeshId,
    machineId: MachineId.describe("The peer."),
    name: z.string().meta({ description: "The peer's name.", examples: ["build-server"] }),
    status: PeerConnectivity,
    path: PathKind,
    gatewayId: MachineId.nullable().describe(
      "The gateway that a transit path goes through, which decrypts; else null.",
    ),
    endpoint: Endpoint.nullable().describe("Where packets to it go on a direct path; null on any other."),
    handshakeAgeSeconds: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: "Since the newest WireGuard handshake; null: never.", examples: [42] }),
    latencyMs: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: "Round-trip time of the path, smoothed; null until measured.", examples: [12.5] }),
    lossRatio: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .meta({ description: "Of the newest probes of the path; null until measured.", examples: [0] }),
    rxBytesPerSecond: z
      .number()
      .nonnegative()
      .meta({ description: "Received from it.", examples: [1_500] }),
    txBytesPerSecond: z
      .number()
      .nonnegative()
      .meta({ description: "Sent to it.", examples: [900] }),
    inDoubt: z
      .boolean()
      .default(false)
      .describe("The path is used, but nothing has answered on it for about a second: another one is made ready."),
    reason: PathReason,
    bgp: BgpSession.default(NO_SESSION),
  })
  .meta({ id: "PeerTelemetry", description: "A peer as one machine sees it right now." });
export type PeerTelemetry = z.infer<typeof PeerTelemetry>;

/** Everything that explains a path. */
export const PeerExplanation = PeerTelemetry.extend({
  candidates: z.array(CandidateOutcome).describe("The peer's candidates, and what became of each."),
  localNat: NatSummary.nullable().describe("This machine's NAT; null until known."),
  peerNat: NatSummary.nullable().describe("The peer's NAT; null until known."),
  nextTryAt: Timestamp.nullable().describe("When a better path is tried next; null: nothing better to try."),
  since: Timestamp.nullable().describe("When the path became what it is."),
}).meta({ id: "PeerExplanation", description: "A peer as one machine sees it, and why the path is what it is." });
export type PeerExplanation = z.infer<typeof PeerExplanation>;
/** A peer as lists show it. */
export const toPeerTelemetry = ({
  candidates,
  localNat,
  peerNat,
  nextTryAt,
  since,
  ...summary
}: PeerExplanation): PeerTelemetry => summary;

/** An endpoint of this machine, and how it was learnt. */
export const ObservedEndpoint = z
  .object({
    meshId: MeshId,
    address: Endpoint.meta({ description: "Where it is.", examples: ["198.51.100.7:51820"] }),
    type: EndpointType,
    observedBy: z
      .string()
      .nullable()
      .meta({
        description: "Who saw it: a STUN server, a router, or a member's machine id; null for the machine itself.",
        examples: ["stun.example.org:3478"],
      }),
    firstSeen: Timestamp.describe("When it was seen first."),
    lastSeen: Timestamp.describe("When it was seen last."),
  })
  .meta({ id: "ObservedEndpoint", description: "Where a machine can be, or was, reached." });
export type ObservedEndpoint = z.infer<typeof ObservedEndpoint>;

export const LinkChange = z.enum(["up", "down", "path_changed"]).meta({
  id: "LinkChange",
  description: "`up`: packets pass. `down`: nothing works. `path_changed`: they go another way.",
  examples: ["path_changed"],
});
export type LinkChange = z.infer<typeof LinkChange>;

/** A change of a link, told as it happens. `at` is by the machine's clock; the object dates the event by its own. */
export const LinkReport = z.object({
  peerId: MachineId,
  kind: LinkChange,
  path: PathKind,
  endpoint: Endpoint.nullable(),
  reason: PathReason,
  at: Timestamp,
});
export type LinkReport = z.infer<typeof LinkReport>;
