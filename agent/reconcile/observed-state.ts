// What the system is like: the other input of `planDevices`, and what `becket status` and `becket peers` show.
import type { Forwarding } from "../net/nft/forward-rules.ts";
import type { Link, Route } from "../net/parse-ip.ts";
import type { WireGuardDevice } from "../wireguard/parse-dump.ts";

export interface ObservedState {
  readonly links: readonly ObservedLink[];
  /** New interfaces forward IPv4 from the beginning (`net.ipv4.conf.default.forwarding`). */
  readonly isForwardingByDefault: boolean;
  /** All interfaces forward IPv6 (`net.ipv6.conf.all.forwarding`). */
  readonly isForwardingIpv6: boolean;
}

/** The machine's own, of the main table: without those of our BIRDs. */
export interface MachineRoutes {
  readonly ipv4: readonly Route[];
  /** None unless IPv6 networks are announced. */
  readonly ipv6: readonly Route[];
}

export interface ObservedLink extends Link {
  /** It forwards IPv4 packets that come in on it. */
  readonly isForwarding: boolean;
  /** Where those may go; null: anywhere. Looked at only where something forwards. */
  readonly guard: Forwarding | null;
  /** WireGuard's side of a `bkt-` interface; `absent` where the link is none, or its wireguard-go is gone, or it is not ours to look at. */
  readonly wireguard:
    | { readonly state: "present"; readonly device: WireGuardDevice }
    | { readonly state: "absent" }
    /** It did not answer, or not with sense: nothing is known, so nothing is done about it. */
    | { readonly state: "unreadable"; readonly problem: string };
}
