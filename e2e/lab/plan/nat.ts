// The packet rules of routers, of the internet and of a host's own firewall. A new kind of NAT is an entry here.
import { z } from "zod";

/** What is between a LAN and the internet; docs in the lab's README. */
export const NatKind = z.enum(["easy", "hard", "full-cone", "mapped", "blocked"]);
export type NatKind = z.infer<typeof NatKind>;

/** A carrier's NAT is a router's, but it opens nothing to anybody. */
export const CarrierNatKind = NatKind.extract(["easy", "hard"]);

/** First and last of the public ports that a NAT gives away. */
export type PortRange = readonly [first: number, last: number];

export interface RouterNat {
  readonly kind: NatKind;
  /** Where a full-cone NAT sends what comes to its ports; null where there is nobody. */
  readonly host: string | null;
}

interface NatChains {
  /** Lines of the forward chain, before what comes unasked from the WAN is dropped. */
  readonly forward: string;
  readonly nat: string;
}

/** Devices of a router: `lan` (a bridge) and `wan`. */
const NAT_CHAINS: Record<NatKind, (nat: RouterNat, ports: PortRange | null) => NatChains> = {
  // Endpoint-independent mapping: Linux gives a source that has a mapping the same one for any further destination.
  easy: (_, ports) => ({ forward: "", nat: renderSourceNat(renderMasquerade(ports)) }),
  // Each destination gets a port of its own, none like the machine's: address-and-port-dependent mapping.
  hard: () => ({ forward: "", nat: renderSourceNat('    oifname "wan" meta nfproto ipv4 masquerade random') }),
  // What comes to a port goes to the same port of the machine, so its own packets must keep theirs.
  "full-cone": ({ host }) => ({
    forward: '    iifname "wan" ct status dnat accept\n',
    nat: `${renderSourceNat(renderMasquerade(null))}
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${host === null ? "" : `iifname "wan" udp dport 1024-65535 dnat ip to ${host}`}
  }`,
  }),
  // miniupnpd fills the chains that have its name.
  mapped: (_, ports) => ({
    forward: "    jump miniupnpd\n",
    nat: `${renderSourceNat(`    jump miniupnpd_postrouting\n${renderMasquerade(ports)}`)}
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump miniupnpd_prerouting
  }
  chain miniupnpd {
  }
  chain miniupnpd_prerouting {
  }
  chain miniupnpd_postrouting {
  }`,
  }),
  blocked: (_, ports) => ({
    forward: '    iifname "lan" oifname "wan" tcp dport { 443, 8080 } accept\n    iifname "lan" oifname "wan" drop\n',
    nat: renderSourceNat(renderMasquerade(ports)),
  }),
};

/**
 * The whole rule set of a router; loaded again it replaces the old one. New packets from the WAN are dropped, also those to the router
 * itself: were they let in, conntrack would keep an entry for them and the LAN's own packet to the same peer would get another port, as
 * no home router does. IPv6 needs neighbour discovery on the WAN side.
 *
 * Without `ports` a NAT keeps a machine's port where it is free; with them, none that it gives away is outside of them.
 */
export function renderRouterRules(router: RouterNat, { ports = null }: { ports?: PortRange | null } = {}): string {
  const { forward, nat } = NAT_CHAINS[router.kind](router, ports);
  return `table inet lab
delete table inet lab
table inet lab {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "wan" drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "wan" ct state established,related accept
${forward}    iifname "wan" drop
  }${nat}
}
`;
}

/**
 * The internet lets everything pass but UDP between sites that are blackholes to each other; tests add rules to its `forward` chain
 * (`iifname` and `oifname` are site names).
 */
export function renderInternetRules(): string {
  return `table inet lab {
  set blackholes {
    type ifname . ifname
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    meta l4proto udp iifname . oifname @blackholes drop
  }
}
`;
}

/** A host that lets in answers, and what comes through a mesh; a table of its own, as a person's firewall is. */
export function renderHostFirewall(): string {
  return `table inet host {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    iifname "bkt-*" accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  }
}
`;
}

function renderSourceNat(lines: string): string {
  return `
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${lines}
  }`;
}

function renderMasquerade(ports: PortRange | null): string {
  const any = '    oifname "wan" meta nfproto ipv4 masquerade';
  if (ports === null) return any;
  return `    oifname "wan" meta nfproto ipv4 meta l4proto { tcp, udp } masquerade to :${ports[0]}-${ports[1]}\n${any}`;
}
