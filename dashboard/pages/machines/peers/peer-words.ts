import type { BgpState } from "#schema/bgp";
import type { CandidateOutcome, PathKind, PeerConnectivity } from "#schema/path";
import type { Tone } from "../../../components/badge.tsx";

interface Words {
  readonly label: string;
  readonly hint: string;
  readonly tone: Tone;
}

export const PATH_WORDS: Readonly<Record<PathKind, Words>> = {
  direct: { label: "direct", hint: "From machine to machine", tone: "good" },
  relayed: { label: "relayed", hint: "Through a relay, sealed end to end", tone: "info" },
  transit: { label: "transit", hint: "Through a gateway, which decrypts and encrypts again", tone: "warn" },
  none: { label: "no path", hint: "No path at the moment", tone: "neutral" },
};

export const STATUS_WORDS: Readonly<Record<PeerConnectivity, Words>> = {
  up: { label: "up", hint: "Packets pass", tone: "good" },
  idle: { label: "idle", hint: "Nothing to send, so nothing was tried", tone: "neutral" },
  connecting: { label: "connecting", hint: "A path is being tried", tone: "info" },
  down: { label: "down", hint: "Nothing works", tone: "bad" },
};

/** In place of `up`, while nothing shows that the path still works. */
export const DOUBT_WORDS: Words & { readonly below: string } = {
  label: "no answer",
  hint: "Nothing has come back on this path for a second or more. Until another one is proved ready, packets still go this way.",
  tone: "warn",
  below: "another path is made ready",
};

export const BGP_WORDS: Readonly<Record<BgpState, Omit<Words, "hint">>> = {
  established: { label: "established", tone: "good" },
  active: { label: "active", tone: "warn" },
  connect: { label: "connect", tone: "warn" },
  idle: { label: "idle", tone: "bad" },
  open_sent: { label: "open sent", tone: "info" },
  open_confirm: { label: "open confirm", tone: "info" },
  not_applicable: { label: "no session", tone: "neutral" },
};

export const OUTCOME_WORDS: Readonly<Record<CandidateOutcome["outcome"], Omit<Words, "hint">>> = {
  answered: { label: "answered", tone: "good" },
  checking: { label: "being checked", tone: "info" },
  no_answer: { label: "no answer", tone: "bad" },
  unreachable: { label: "can't be reached from here", tone: "neutral" },
  untried: { label: "not tried", tone: "neutral" },
};
