// What stands between a machine and the internet, in the words of RFC 4787 and RFC 5780.
import { z } from "zod";
import { Endpoint, IpAddress } from "./address.ts";
import { Timestamp } from "./timestamp.ts";

/** `none`: no NAT, the machine has the address that others see. */
export const NatMapping = z.enum([
  "none",
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
  "unknown",
]);
export type NatMapping = z.infer<typeof NatMapping>;

/** What comes in unasked: from anywhere, from hosts that were sent to, only from endpoints that were sent to. */
export const NatFiltering = z.enum([
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
  "unknown",
]);
export type NatFiltering = z.infer<typeof NatFiltering>;

/** The part of a machine's NAT report that its peers need: it says who has to begin, and whether guessing ports can work. */
export const NatSummary = z.object({
  mapping: NatMapping,
  filtering: NatFiltering,
  /** False: no STUN server answered over UDP, though the machine has a network. */
  isUdpOpen: z.boolean(),
  /** The public IPv4 address, which peers need to guess the ports of an address-dependent mapping. */
  publicAddress: IpAddress.optional(),
});
export type NatSummary = z.infer<typeof NatSummary>;

/** Difficult to reach: another destination sees another port, so what a STUN server saw helps nobody else. */
export const isHardNat = ({ mapping }: Pick<NatSummary, "mapping">): boolean =>
  mapping === "address-dependent" || mapping === "address-and-port-dependent";

/** `host:port`; an IPv6 address in brackets. */
export const StunServer = z
  .string()
  .max(255)
  .regex(/^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/, "must be host:port");
export type StunServer = z.infer<typeof StunServer>;

/** What a STUN server said of one of our sockets. */
export const StunObservation = z.object({
  server: z.string(),
  /** Null: it did not answer. */
  mapped: Endpoint.nullable(),
  roundTripMs: z.number().nullable(),
});
export type StunObservation = z.infer<typeof StunObservation>;

/** What `becket netcheck --json` prints, and the machine's Network page shows. */
export const NatReport = z.object({
  at: Timestamp,
  udp: z.object({ ipv4: z.boolean(), ipv6: z.boolean() }),
  mapping: NatMapping,
  filtering: NatFiltering,
  /** The public port is the machine's own; null when there is no NAT or nothing answered. */
  preservesPort: z.boolean().nullable(),
  /** A host behind the NAT reaches another one there by its public endpoint; null: could not be tried. */
  hairpinning: z.boolean().nullable(),
  /** How long the NAT keeps a mapping that is not used, seconds: the longest silence that it outlived. Null until measured. */
  mappingLifetimeSeconds: z.number().nullable(),
  publicAddresses: z.array(IpAddress),
  portMapping: z.object({
    /** What the router offers; empty when it offers nothing. */
    protocols: z.array(z.enum(["upnp", "nat-pmp", "pcp"])),
    /** The endpoints that it opened for us. */
    endpoints: z.array(Endpoint),
    problem: z.string().nullable(),
  }),
  stun: z.array(StunObservation),
  /** What keeps checks from WireGuard's port from working, in a sentence; null when nothing does. */
  checksProblem: z.string().nullable(),
});
export type NatReport = z.infer<typeof NatReport>;
