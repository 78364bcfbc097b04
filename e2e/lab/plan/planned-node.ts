// What a plan says of one node, and the settings that nodes share.
import type { Addresses, PlannedLink } from "./links.ts";
import type { RouterNat } from "./nat.ts";

export type NodeRole = "internet" | "control" | "stun" | "router" | "machine";

export interface PlannedNode extends Addresses {
  readonly name: string;
  readonly role: NodeRole;
  /** The LAN it is on or is the router of; null when it is on the internet itself. */
  readonly lan: string | null;
  /** What a router does between its LAN and its WAN side; null for all others. */
  readonly nat: RouterNat | null;
  /** `key = value` lines, applied before the links exist. */
  readonly sysctls: readonly string[];
  /** Lines for `ip -batch`, applied when all links exist, before those of the links. */
  readonly ipCommands: readonly string[];
  readonly nftRules: string | null;
}

/** A node and its own link. */
export interface Site {
  readonly node: PlannedNode;
  readonly link: PlannedLink;
}

/** Public hosts begin here in their /24, machines on a LAN too where it is big enough. */
export const FIRST_HOST = 10;

export const LOOPBACK_UP = ["link set lo up"];

// A new namespace may inherit the host's settings (net.core.devconf_inherit_init_net), so what matters is said here.
export const BASE_SYSCTLS = [
  "net.ipv6.conf.all.disable_ipv6 = 0",
  "net.ipv6.conf.default.disable_ipv6 = 0",
  "net.ipv6.conf.lo.disable_ipv6 = 0",
  // Duplicate address detection would keep addresses unusable for a second.
  "net.ipv6.conf.all.accept_dad = 0",
  "net.ipv6.conf.default.accept_dad = 0",
  "net.ipv6.conf.default.dad_transmits = 0",
  "net.ipv6.conf.default.accept_ra = 0",
  "net.ipv4.conf.all.rp_filter = 0",
  "net.ipv4.conf.default.rp_filter = 0",
  "net.ipv4.ping_group_range = 0 2147483647",
];

export const FORWARDING_SYSCTLS = [
  "net.ipv4.ip_forward = 1",
  "net.ipv4.conf.all.send_redirects = 0",
  "net.ipv4.conf.default.send_redirects = 0",
  "net.ipv6.conf.all.forwarding = 1",
];
