// The packet rules of a LAN's router. One entry per kind of NAT: a new kind is a new entry here.
import { z } from "zod";

export const NatKind = z.enum(["easy"]);
export type NatKind = z.infer<typeof NatKind>;

/** The `nat` chains of each kind. Devices of a router: `lan` (a bridge) and `wan`. */
const NAT_CHAINS: Record<NatKind, string> = {
  // Endpoint-independent mapping (the port is kept where it is free), address-and-port-dependent filtering.
  easy: `
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" meta nfproto ipv4 masquerade
  }`,
};

/**
 * The whole rule set of a router. New packets from the WAN are dropped, also those to the router itself: were they let
 * in, conntrack would keep an entry for them and the LAN's own packet to the same peer would get another port, as no
 * home router does. IPv6 needs neighbour discovery on the WAN side.
 */
export function renderRouterRules(kind: NatKind): string {
  return `table inet lab {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "wan" drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" drop
  }${NAT_CHAINS[kind]}
}
`;
}

/** The internet lets everything pass; tests add rules to its `forward` chain (`iifname` and `oifname` are site names). */
export function renderInternetRules(): string {
  return `table inet lab {
  chain forward {
    type filter hook forward priority filter; policy accept;
  }
}
`;
}
