// A NAT report in the words of somebody who wants to know whether it is good or bad.
import type { NatFiltering, NatMapping, NatReport, NatSummary } from "#schema/nat";
import type { Tone } from "../../../components/badge.tsx";

export interface Verdict {
  readonly tone: Tone;
  readonly title: string;
  readonly explanation: string;
}

const MAPPINGS: Readonly<Record<NatMapping, Verdict>> = {
  none: { tone: "good", title: "No NAT", explanation: "The machine has the address that others see." },
  "endpoint-independent": {
    tone: "good",
    title: "Easy NAT",
    explanation: "Every destination sees the same port, so peers can come through directly.",
  },
  "address-dependent": {
    tone: "warn",
    title: "Hard NAT",
    explanation:
      "Each address sees another port. Peers behind easy NATs can guess their way through; others are relayed.",
  },
  "address-and-port-dependent": {
    tone: "warn",
    title: "Hard NAT",
    explanation:
      "Each destination sees another port (symmetric). Peers behind easy NATs can guess their way through; others are relayed.",
  },
  unknown: { tone: "neutral", title: "Not known", explanation: "The measurement did not tell what NAT there is." },
};

export const judgeNat = ({ udp, mapping }: Pick<NatReport, "udp" | "mapping">): Verdict =>
  judgeNatSummary({ isUdpOpen: udp.ipv4 || udp.ipv6, mapping });

export function judgeNatSummary({ isUdpOpen, mapping }: Pick<NatSummary, "isUdpOpen" | "mapping">): Verdict {
  if (!isUdpOpen) {
    return {
      tone: "bad",
      title: "No UDP",
      explanation: "No STUN server answered over UDP. Traffic goes through the relay, over WebSocket.",
    };
  }
  return MAPPINGS[mapping];
}

export const MAPPING_LABELS: Readonly<Record<NatMapping, string>> = {
  none: "none",
  "endpoint-independent": "endpoint-independent",
  "address-dependent": "address-dependent",
  "address-and-port-dependent": "address- and port-dependent",
  unknown: "not known",
};

export const FILTERING_LABELS: Readonly<Record<NatFiltering, string>> = {
  "endpoint-independent": "lets in anybody",
  "address-dependent": "lets in addresses that were sent to",
  "address-and-port-dependent": "lets in only endpoints that were sent to",
  unknown: "not known",
};

/** Yes, no, or not known. */
export const toYesNo = (value: boolean | null): string => (value === null ? "not known" : value ? "yes" : "no");
