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
  /** A peer that asks again does not make it begin again. */
  readonly isRestarted: boolean;
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
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly message: string;
      readonly sinceMs: number;
      readonly retryAtMs: number;
    };

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
  /** When ports were opened or guessed here last; null: not since the network changed. */
  readonly birthdayAtMs: number | null;
  /** When the peer said that its ports are open, to be guessed. */
  readonly peerOpenedAtMs: number | null;
  readonly relay: RelayState;
  /** Relays in a row that could not be had, or brought nobody. */
  readonly relayFailures: number;
  /** The control plane has no connection to it, and nothing was heard of it since. */
  readonly isPeerOffline: boolean;
  /** The gateway that both ends have agreed on. */
  readonly transitGatewayId: MachineId | null;
  /** The gateways that the Mesh object was told of last. */
  readonly transitWish: readonly MachineId[];
  readonly transitAskedAtMs: number | null;
  /** Askings in a row that brought nothing that lasted. */
  readonly transitFailures: number;
  /** The gateways that this machine reaches directly, in order of their ids. */
  readonly gatewayIds: readonly MachineId[];
  /** Anything that went to the peer or came from it, WireGuard's own upkeep included. */
  readonly lastTxMs: number | null;
  readonly lastRxMs: number | null;
  /** The same, but for what came through the relay: only this shows that a direct path works. */
  readonly lastDirectRxMs: number | null;
  /** The peer sent through the relay. */
  readonly lastRelayRxMs: number | null;
  /** Since the first packet of ours after which nothing was received. */
  readonly unansweredSinceMs: number | null;
  /** Somebody used the path: more passed than WireGuard's own upkeep. */
  readonly lastUseMs: number | null;
  /** Use after silence began here. */
  readonly activeSinceMs: number | null;
  /** The peer wanted to talk: it asked for checks, or opened a relay. */
  readonly peerAskedAtMs: number | null;
  /** The newest check of the direct path that is in use. */
  readonly heartbeatAtMs: number | null;
  readonly lastAnswerMs: number | null;
  /** Checks of the path in a row that were not answered. */
  readonly missed: number;
  /** What the controlling side has chosen, seen from here. */
  readonly nominated: Endpoint | null;
  /** WireGuard went here by itself while another endpoint was proved: decided by who answers. */
  readonly contest: { readonly endpoint: Endpoint; readonly sinceMs: number } | null;
  /** WireGuard's endpoint was written anew, though it is the same, because WireGuard had left it. */
  readonly rewrittenAtMs: number | null;
  /** WireGuard was told to use the relay, and packets under way from the peer may take it back to the direct path. */
  readonly strayedAtMs: number | null;
  /** When a direct path died last. */
  readonly diedAtMs: number | null;
  /** Answers in a row since then. */
  readonly answersSinceDeath: number;
  readonly answeringSinceMs: number | null;
  /** The newest step. What was due by then is done. */
  readonly steppedAtMs: number;
  readonly told: Pick<LinkReport, "path" | "endpoint"> | null;
}

export type PathEvent =
  | { readonly type: "facts"; readonly peer: PeerFacts; readonly local: LocalFacts; readonly isEager: boolean }
  /** This machine's network is another, or it slept: what was known of paths is doubtful. */
  | { readonly type: "network_changed" }
  | { readonly type: "punch_requested"; readonly kind: "checks" | "birthday" }
  /** It is this pair's turn to guess ports. */
  | { readonly type: "birthday_turn" }
  /** A check of ours was answered. */
  | { readonly type: "answered"; readonly endpoint: Endpoint; readonly roundTripMs: number }
  /** The peer's check came from here, and was authentic. */
  | { readonly type: "check_received"; readonly endpoint: Endpoint; readonly isNominated: boolean }
  /**
   * Bytes went out or came in since the last look. `isUpkeep`: nothing but WireGuard's own keepalives and handshakes; `isAsking`: of which one
   * has no answer yet.
   */
  | {
      readonly type: "traffic";
      readonly isSent: boolean;
      readonly isReceived: boolean;
      readonly isUpkeep?: boolean;
      readonly isAsking?: boolean;
    }
  /** WireGuard sent to the loopback socket. */
  | { readonly type: "loopback_packet" }
  /** A sealed packet came through the relay. Twice a second is often enough. */
  | { readonly type: "relay_packet" }
  /** WireGuard receives from the peer here, which nobody chose. */
  | { readonly type: "roamed"; readonly endpoint: Endpoint }
  | { readonly type: "relay_opened" }
  | { readonly type: "relay_peer"; readonly isPresent: boolean }
  | { readonly type: "relay_ended"; readonly code: string; readonly message: string }
  | { readonly type: "gateways"; readonly gatewayIds: readonly MachineId[] }
  | { readonly type: "transit_set"; readonly gatewayId: MachineId | null }
  | { readonly type: "transit_requested" }
  | { readonly type: "tick" };

export type PathAction =
  /** `isOrdinary`: of a round, so they may wait for others' (RFC 8445 section 6.1.4); the others answer something, or measure. */
  | {
      readonly type: "send_checks";
      readonly endpoints: readonly Endpoint[];
      readonly isNominated: boolean;
      readonly isOrdinary?: true;
    }
  | { readonly type: "request_punch"; readonly kind: "checks" | "birthday" }
  /** To guess ports: this machine does it for one peer at a time, and says when by `birthday_turn`. */
  | { readonly type: "ask_turn" }
  /** Behind the hard NAT: open many ports towards the peer. */
  | { readonly type: "open_ports"; readonly remote: Endpoint }
  /** The other side: guess one of them. */
  | { readonly type: "guess_ports"; readonly address: string }
  /** Gives up the turn, or the place among those that wait. */
  | { readonly type: "end_birthday" }
  | { readonly type: "request_relay" }
  | { readonly type: "close_relay" }
  /** Through one of these; none: no longer. */
  | { readonly type: "request_transit"; readonly gatewayIds: readonly MachineId[] }
  /** What STUN servers saw may be out of date. */
  | { readonly type: "refresh_stun" }
  | { readonly type: "report"; readonly kind: LinkReport["kind"] };

export interface PathStep {
  readonly state: PathState;
  readonly actions: readonly PathAction[];
}
