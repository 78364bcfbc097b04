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

export const OUTCOME_WORDS: Readonly<Record<CandidateOutcome["outcome"], Omit<Words, "hint">>> = {
  answered: { label: "answered", tone: "good" },
  checking: { label: "being checked", tone: "info" },
  no_answer: { label: "no answer", tone: "bad" },
  unreachable: { label: "can't be reached from here", tone: "neutral" },
  untried: { label: "not tried", tone: "neutral" },
};
