// What stands between a machine and the internet, in the words of RFC 4787 and RFC 5780.
import { z } from "zod";
import { Endpoint, IpAddress, Ipv4, isInside, isPrivateAddress } from "./address.ts";
import { Timestamp } from "./timestamp.ts";

/** `none`: no NAT, the machine has the address that others see. */
export const NatMapping = z
  .enum(["none", "endpoint-independent", "address-dependent", "address-and-port-dependent", "unknown"])
  .meta({
    id: "NatMapping",
    description:
      "How the NAT gives out public ports (RFC 4787). `none`: no NAT, the machine has the address that others see. `endpoint-independent`: one port for every destination. Otherwise each destination sees another one.",
    examples: ["endpoint-independent"],
  });
export type NatMapping = z.infer<typeof NatMapping>;

/** What a NAT of this mapping is called in a sentence. */
export const NAT_WORDS: Record<NatMapping, string> = {
  none: "no NAT",
  "endpoint-independent": "an easy NAT (endpoint-independent mapping)",
  "address-dependent": "a hard NAT (address-dependent mapping)",
  "address-and-port-dependent": "a hard NAT (address-and-port-dependent mapping)",
  unknown: "a NAT that is not known yet",
};

/** What comes in unasked: from anywhere, from hosts that were sent to, only from endpoints that were sent to. */
export const NatFiltering = z
  .enum(["endpoint-independent", "address-dependent", "address-and-port-dependent", "unknown"])
  .meta({
    id: "NatFiltering",
    description:
      "What comes in unasked (RFC 4787): from anywhere; only from addresses that were sent to; only from endpoints that were sent to.",
    examples: ["address-and-port-dependent"],
  });
export type NatFiltering = z.infer<typeof NatFiltering>;

/**
 * Peers send thousands of packets there, so it is no address of somebody's own network, and not one of many hosts. What else is told is left
 * out, not refused: a machine sees a private one where its STUN servers are on its own network.
 */
export const PublicIpv4 = Ipv4.refine(
  // Also asked about what is no address at all (zod 4).
  (text) => Ipv4.safeParse(text).success && !isPrivateAddress(text) && !isInside(text, CLASS_E),
);
/** Nobody's (RFC 1112 section 4). */
const CLASS_E = "240.0.0.0/4";

/** The part of a machine's NAT report that its peers need: it says who has to begin, and whether guessing ports can work. */
export const NatSummary = z
  .object({
    mapping: NatMapping,
    filtering: NatFiltering,
    isUdpOpen: z.boolean().meta({
      description: "False: no STUN server answered over UDP, though the machine has a network.",
      examples: [true],
    }),
    /** Peers need it to guess the ports of an address-dependent mapping. */
    publicAddress: PublicIpv4.optional()
      .catch(undefined)
      .meta({
        description: "The public IPv4 address; left out until known.",
        examples: ["198.51.100.7"],
      }),
  })
  .meta({ id: "NatSummary", description: "What peers need to know of a machine's NAT." });
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
export const StunObservation = z
  .object({
    server: z.string().meta({ description: "The server, host:port.", examples: ["stun.example.org:3478"] }),
    mapped: Endpoint.nullable().meta({
      description: "Where it saw the machine; null: it did not answer.",
      examples: ["198.51.100.7:51820"],
    }),
    roundTripMs: z
      .number()
      .nullable()
      .meta({ description: "How long the answer took, milliseconds; null: there was none.", examples: [12.5] }),
  })
  .meta({ id: "StunObservation", description: "What a STUN server (RFC 8489) said of the machine." });
export type StunObservation = z.infer<typeof StunObservation>;

/** What `becket netcheck --json` prints, and the machine's Network page shows. */
export const NatReport = z
  .object({
    at: Timestamp.describe("When it was measured."),
    udp: z
      .object({
        ipv4: z.boolean().meta({ description: "A STUN server answered over IPv4.", examples: [true] }),
        ipv6: z.boolean().meta({ description: "A STUN server answered over IPv6.", examples: [false] }),
      })
      .describe("Whether UDP passes."),
    mapping: NatMapping,
    filtering: NatFiltering,
    preservesPort: z
      .boolean()
      .nullable()
      .meta({
        description: "The public port is the machine's own; null when there is no NAT or nothing answered.",
        examples: [true],
      }),
    hairpinning: z
      .boolean()
      .nullable()
      .meta({
        description:
          "A host behind the NAT reaches another one there by its public endpoint; null: could not be tried.",
        examples: [false],
      }),
    mappingLifetimeSeconds: z
      .number()
      .nullable()
      .meta({
        description:
          "How long the NAT keeps a mapping that is not used: the longest silence that one outlived. Null until measured.",
        examples: [120],
      }),
    publicAddresses: z.array(IpAddress).meta({
      description: "Where the internet sees the machine.",
      examples: [["198.51.100.7"]],
    }),
    portMapping: z
      .object({
        protocols: z.array(z.enum(["upnp", "nat-pmp", "pcp"])).meta({
          description: "What the router offers; empty when it offers nothing.",
          examples: [["upnp"]],
        }),
        endpoints: z.array(Endpoint).meta({
          description: "What the router opened for the machine.",
          examples: [["198.51.100.7:51820"]],
        }),
        problem: z
          .string()
          .nullable()
          .meta({ description: "Why the router opened nothing, in a sentence; null when it did.", examples: [null] }),
      })
      .describe("Ports that the router opened when it was asked."),
    stun: z.array(StunObservation).describe("What each STUN server said."),
    checksProblem: z
      .string()
      .nullable()
      .meta({
        description: "What keeps checks from WireGuard's port from working, in a sentence; null when nothing does.",
        examples: [null],
      }),
  })
  .meta({ id: "NatReport", description: "What stands between a machine and the internet, as it measured it." });
export type NatReport = z.infer<typeof NatReport>;
