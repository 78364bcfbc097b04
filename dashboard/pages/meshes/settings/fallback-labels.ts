import type { Fallback } from "#schema/mesh";

/** The ways of pairs that have no direct path, in people's words. */
export const FALLBACK_LABELS: Readonly<Record<Fallback, { readonly label: string; readonly hint: string }>> = {
  relay: {
    label: "Relay",
    hint: "The control plane forwards sealed packets; nobody on the way can read them.",
  },
  transit: {
    label: "Transit",
    hint: "A gateway of the mesh forwards, and decrypts on the way. Without a gateway such pairs have no path.",
  },
  "relay-then-transit": {
    label: "Relay, then transit",
    hint: "A gateway forwards only where no relay can be reached.",
  },
  "transit-then-relay": {
    label: "Transit, then relay",
    hint: "A gateway forwards where it reaches both sides directly; else a relay.",
  },
};
