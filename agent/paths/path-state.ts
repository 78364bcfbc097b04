// What one machine knows of its path to one peer: the state, what can happen to it, and what is to be done. Data only.
import type { Endpoint } from "#schema/address";
import type { Candidate, EndpointType } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { Fallback } from "#schema/mesh";
import type { NatSummary } from "#schema/nat";
import type { LinkReport } from "#schema/path";
import type { Surroundings } from "./surroundings.ts";

/** What the control plane says of the peer. */
export interface PeerFacts {
  readonly candidates: readonly Candidate[];
  /** Null until the peer has told. */
  readonly nat: NatSummary | null;
  readonly answersChecks: boolean;
}

/** What this machine knows of itself and of the mesh. The same object for all peers of a mesh. */
export interface LocalFacts {
  readonly surroundings: Surroundings;
  /** Null until measured. */
  readonly nat: NatSummary | null;
  /** Checks can leave from WireGuard's port. */
  readonly canCheck: boolean;
  readonly fallback: Fallback;
  /** Seconds between packets that keep a NAT's mapping open. */
  readonly keepaliveSeconds: number;
}

export type Path =
  | { readonly kind: "none" }
  /** `isProved`: a check was answered there. Else WireGuard has it from before this agent, or heard the peer there, or it is a guess. */
  | { readonly kind: "direct"; readonly endpoint: Endpoint; readonly isProved: boolean }
  | { readonly kind: "relayed" }
  | { readonly kind: "transit"; readonly gatewayId: MachineId };

/** What became of one endpoint. */
export interface Try {
  readonly type: EndpointType;
  readonly sentAtMs: number | null;
  readonly answeredAtMs: number | null;
  readonly roundTripMs: number | null;
}

/** A round of checks to every viable candidate. */
export interface Round {
  readonly startedAtMs: number;
  /** How many of the round's sendings are done. */
  readonly sent: number;
  readonly hasBirthdayBegun: boolean;
  /** The peer knows that it has to send too, or need not be told. */
  readonly hasPunched: boolean;
}

/**
 * `wanted`: a ticket was asked for. `open`: connected, the other side is not. `ready`: both sides are there. `refused`: not before
 * `retryAtMs`.
 */
export type RelayState =
  | { readonly kind: "closed" }
  | { readonly kind: "wanted"; readonly sinceMs: number }
  | { readonly kind: "open" | "ready"; readonly sinceMs: number }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly retryAtMs: number };

export interface PathState {
  readonly peerId: MachineId;
  /** Of two working endpoints the controlling side chooses, the other follows (RFC 8445 section 6.1.1). */
  readonly isControlling: boolean;
  /** Kept warm, also without traffic. */
  readonly isEager: boolean;
  readonly peer: PeerFacts;
  readonly local: LocalFacts;
  readonly path: Path;
  readonly sinceMs: number;
  /** Counts the decisions where WireGuard has to send; 0: as it is. */
  readonly version: number;
  readonly tries: ReadonlyMap<Endpoint, Try>;
  readonly round: Round | null;
  /** Rounds without an answer, in a row. */
  readonly roundsFailed: number;
  readonly nextRoundAtMs: number | null;
  /** The newest guessing of ports; null: none since the network changed. */
  readonly birthdayAtMs: number | null;
  readonly relay: RelayState;
  /** The control plane has no connection to it, and nothing was heard of it since. */
  readonly isPeerOffline: boolean;
  /** The gateway that both ends have agreed on. */
  readonly transitGatewayId: MachineId | null;
  readonly transitAskedAtMs: number | null;
  /** A gateway that this machine reaches directly. */
  readonly gatewayId: MachineId | null;
  /** Traffic for the peer or from it. */
  readonly lastTxMs: number | null;
  readonly lastRxMs: number | null;
  /** Traffic after silence began here. */
  readonly activeSinceMs: number | null;
  /** The newest check of the direct path that is in use. */
  readonly heartbeatAtMs: number | null;
  readonly lastAnswerMs: number | null;
  /** Checks of the path in a row that were not answered. */
  readonly missed: number;
  /** When a direct path died last. */
  readonly diedAtMs: number | null;
  /** Answers in a row since then. */
  readonly answersSinceDeath: number;
  readonly told: Pick<LinkReport, "path" | "endpoint"> | null;
}

export type PathEvent =
  | { readonly type: "facts"; readonly peer: PeerFacts; readonly local: LocalFacts; readonly isEager: boolean }
  /** This machine's network is another, or it slept: what was known of paths is doubtful. */
  | { readonly type: "network_changed" }
  | {
      readonly type: "punch_requested";
      readonly kind: "checks" | "birthday";
      readonly candidates: readonly Candidate[];
    }
  /** A check of ours was answered. */
  | { readonly type: "answered"; readonly endpoint: Endpoint; readonly roundTripMs: number }
  /** The peer's check came from here, and was authentic. */
  | { readonly type: "check_received"; readonly endpoint: Endpoint; readonly isNominated: boolean }
  /** Bytes went out or came in since the last look. */
  | { readonly type: "traffic"; readonly isSent: boolean; readonly isReceived: boolean }
  /** WireGuard sent to the loopback socket. */
  | { readonly type: "loopback_packet" }
  /** WireGuard receives from the peer here, which nobody chose. */
  | { readonly type: "roamed"; readonly endpoint: Endpoint }
  | { readonly type: "relay_opened" }
  | { readonly type: "relay_peer"; readonly isPresent: boolean }
  | { readonly type: "relay_ended"; readonly code: string; readonly message: string }
  | { readonly type: "gateway"; readonly gatewayId: MachineId | null }
  | { readonly type: "transit_set"; readonly gatewayId: MachineId | null }
  | { readonly type: "tick" };

export type PathAction =
  | { readonly type: "send_checks"; readonly endpoints: readonly Endpoint[]; readonly isNominated: boolean }
  | { readonly type: "request_punch"; readonly kind: "checks" | "birthday" }
  /** Behind the hard NAT: open many ports towards the peer. */
  | { readonly type: "open_ports"; readonly remote: Endpoint }
  /** The other side: guess one of them. */
  | { readonly type: "guess_ports"; readonly address: string }
  | { readonly type: "end_birthday" }
  | { readonly type: "request_relay" }
  | { readonly type: "close_relay" }
  | { readonly type: "request_transit"; readonly gatewayId: MachineId | null }
  /** What STUN servers saw may be out of date. */
  | { readonly type: "refresh_stun" }
  | { readonly type: "report"; readonly kind: LinkReport["kind"] };

export interface PathStep {
  readonly state: PathState;
  readonly actions: readonly PathAction[];
}

/** The times that the machine keeps, milliseconds. */
export const PATH_TIMES = {
  /** Sendings of a round: dense at first, because two NATs open only when both sides have sent. */
  roundOffsets: [0, 60, 150, 300, 500, 800, 1_200, 1_800, 2_500],
  roundEnds: 3_000,
  /** After 1, 2, … rounds without an answer; the last one repeats. */
  roundPauses: [4_000, 10_000, 20_000, 40_000, 57_000],
  /** Both sides learn of each other at about the same time: mostly nobody has to be asked to send. */
  punchAfter: 200,
  /** A relayed pair without traffic asks the peer this often in a row; then it goes on by itself, which costs nobody anything. */
  punchesWhenIdle: 3,
  /** Ordinary checks get this long before ports are guessed. */
  birthdayAfter: 250,
  birthdayEvery: 600_000,
  /** While there is traffic, the direct path is checked this often, and faster when an answer is missing. */
  heartbeat: 1_500,
  heartbeatRetry: 500,
  /** Nobody sent or received for this long: no traffic. */
  activeFor: 5_000,
  /** An answer missing for this long makes a path doubtful: other candidates and the relay are made ready. */
  doubtAfter: 900,
  /** No answer and nothing received for this long: the path is dead. */
  deadAfter: 3_000,
  silentFor: 2_000,
  /** The same where no checks can be made: WireGuard answers one-way traffic after 10 s (its keepalive timeout). */
  uncheckedSilentFor: 12_000,
  /** After a death this many answers in a row make the path good again, within this time. */
  answersAfterDeath: 3,
  distrustFor: 60_000,
  relayRetry: 5_000,
  relayRetryOffline: 30_000,
  relayAnswer: 5_000,
  /** A relay that is not needed any more stays for packets under way. */
  relayLinger: 10_000,
  /** Without traffic for this long a pair of a large mesh is let go. */
  lazyIdle: 300_000,
  transitRetry: 10_000,
} as const;
