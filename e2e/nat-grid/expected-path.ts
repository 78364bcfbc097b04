// What each cell of the grid must come to. Pure.
import type { PathReasonCode } from "#schema/path";
import type { NetworkKind } from "./kinds.ts";

export interface ExpectedPath {
  readonly path: "direct" | "relayed";
  /** Why it can't be direct, as a person would say; null where it is direct. */
  readonly why: string | null;
  /** Codes of which the agent gives one; empty: not asked. */
  readonly codes: readonly PathReasonCode[];
}

const DIRECT: ExpectedPath = { path: "direct", why: null, codes: [] };
/** Kinds of which the machines have an IPv6 address. */
const WITH_IPV6: readonly NetworkKind[] = ["public", "firewalled", "ipv6-only"];

export function expectedPath(from: NetworkKind, to: NetworkKind): ExpectedPath {
  const either = (kind: NetworkKind) => from === kind || to === kind;
  if (either("blocked"))
    return { path: "relayed", why: "UDP is blocked on one side", codes: ["udp_blocked_here", "udp_blocked_there"] };
  if (either("ipv6-only") && !(WITH_IPV6.includes(from) && WITH_IPV6.includes(to)))
    return {
      path: "relayed",
      why: "one has IPv6 alone and the other IPv4 alone",
      codes: ["no_common_family", "no_candidates"],
    };
  if (from === "hard" && to === "hard")
    return { path: "relayed", why: "both NATs give every destination another port", codes: ["hard_nats"] };
  return DIRECT;
}
