// A mesh and what may be said of it. The CIDR is the mesh's address plan: private, immutable, /8 to /30.
import { z } from "zod";
import { Ipv4Cidr, Ipv6Cidr, isOverlapping, parseIpv4Cidr } from "./address.ts";
import { MeshId, PolicySetId } from "./ids.ts";
import { MAX_NAME_LENGTH } from "./limits.ts";
import { Timestamp } from "./timestamp.ts";

export const Name = z
  .string()
  .max(MAX_NAME_LENGTH, `must have at most ${MAX_NAME_LENGTH} characters`)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be lower-case letters, digits and inner hyphens")
  .meta({
    description: "A DNS label (RFC 1123) in lower case: usable as a host name, in metrics and on the command line.",
    examples: ["office"],
  });
export type Name = z.infer<typeof Name>;

const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
export const MIN_MESH_PREFIX_LENGTH = 8;
export const MAX_MESH_PREFIX_LENGTH = 30;

export const MeshCidr = Ipv4Cidr.superRefine((cidr, context) => {
  const range = parseIpv4Cidr(cidr);
  if (range === null) return;
  if (range.prefixLength < MIN_MESH_PREFIX_LENGTH || range.prefixLength > MAX_MESH_PREFIX_LENGTH) {
    context.addIssue({ code: "custom", message: "must be a network of /8 to /30" });
  } else if (!PRIVATE_NETWORKS.some((network) => isWithin(cidr, network))) {
    context.addIssue({
      code: "custom",
      message: "must be a private network: inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
    });
  }
}).describe("A private IPv4 network: inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10, of /8 to /30.");
export type MeshCidr = z.infer<typeof MeshCidr>;

function isWithin(inner: string, outer: string): boolean {
  const a = parseIpv4Cidr(inner);
  const b = parseIpv4Cidr(outer);
  return a !== null && b !== null && isOverlapping(inner, outer) && a.prefixLength >= b.prefixLength;
}

/** Private 4-byte AS numbers (RFC 6996). */
export const FIRST_PRIVATE_ASN = 4_200_000_000;
export const LAST_PRIVATE_ASN = 4_294_967_294;
export const PrivateAsn = z
  .number()
  .int()
  .min(FIRST_PRIVATE_ASN)
  .max(LAST_PRIVATE_ASN)
  .meta({ description: "A private 4-byte AS number (RFC 6996).", examples: [FIRST_PRIVATE_ASN] });

/** How a mesh lets pairs talk that have no direct path, in order of preference. */
export const Fallback = z.enum(["relay", "transit", "relay-then-transit", "transit-then-relay"]).meta({
  id: "Fallback",
  description:
    "How pairs talk that have no direct path, best first. A relay forwards sealed packets; on a transit path the gateway decrypts them.",
  examples: ["relay"],
});
export type Fallback = z.infer<typeof Fallback>;

export const RouteReflectorMode = z.boolean().meta({
  description:
    "True: members speak BGP with the mesh's gateways only, which pass on what each tells; packets still go straight. It needs a gateway, and ends with the last one. Advised from 250 members on, with two or more gateways.",
  examples: [false],
});

export const MAX_KEY_ROTATION_DAYS = 365;
export const KeyRotationDays = z
  .number()
  .int()
  .min(1)
  .max(MAX_KEY_ROTATION_DAYS)
  .nullable()
  .meta({
    description:
      "Each member makes a new WireGuard key when the one it has is this old, days, or up to a tenth younger, so that not all do it at once; null: only when asked to.",
    examples: [90],
  });
export type KeyRotationDays = z.infer<typeof KeyRotationDays>;

export const meshPolicySets = {
  importPolicySetId: PolicySetId.nullable().describe(
    "The policy set that decides at the mesh's gateways what comes in from other meshes; null: private networks do.",
  ),
  exportPolicySetId: PolicySetId.nullable().describe(
    "The policy set that decides at the mesh's gateways what of it goes to other meshes; null: all does.",
  ),
};

/** Addresses members can have: network and broadcast excluded. */
export function hostCount(cidr: string): number {
  const range = parseIpv4Cidr(cidr);
  return range === null ? 0 : range.last - range.first - 1;
}

export const Mesh = z
  .object({
    id: MeshId,
    name: Name.describe("The mesh's name, unique among meshes."),
    cidr: MeshCidr.describe("The mesh's IPv4 network, from which its members get their addresses. It never changes."),
    cidr6: Ipv6Cidr.describe("The mesh's IPv6 network: a random ULA /64 (RFC 4193)."),
    asn: PrivateAsn.describe("The mesh's own private AS number (RFC 6996)."),
    fallback: Fallback,
    routeReflectorMode: RouteReflectorMode,
    keyRotationDays: KeyRotationDays,
    ...meshPolicySets,
    isDefault: z.boolean().meta({
      description:
        "Newly enrolled machines join this mesh, unless their join token names others. At most one mesh is the default.",
      examples: [true],
    }),
    memberCount: z
      .number()
      .int()
      .nonnegative()
      .meta({ description: "Machines in the mesh.", examples: [12] }),
    availableAddressCount: z
      .number()
      .int()
      .nonnegative()
      .meta({
        description:
          "IPv4 addresses that members to come can have, those in quarantine included; the addresses of VIPs are not.",
        examples: [65_522],
      }),
    createdAt: Timestamp.describe("When the mesh was created."),
  })
  .meta({ id: "Mesh", description: "A private network whose members reach each other through WireGuard." });
export type Mesh = z.infer<typeof Mesh>;

export const Warning = z
  .object({
    code: z.enum(["cidr_overlap", "single_gateway", "route_reflectors_advised"]).meta({
      description:
        "`cidr_overlap`: another mesh has addresses of this network; `single_gateway`: all routes depend on one gateway; `route_reflectors_advised`: the mesh has many members and no route reflector mode.",
      examples: ["cidr_overlap"],
    }),
    message: z.string().meta({
      description: "A sentence for people.",
      examples: ["the network overlaps 10.1.0.0/16 of the mesh lab: no machine can be in both"],
    }),
    meshId: MeshId.optional().describe("The other mesh."),
  })
  .meta({ id: "Warning", description: "Something that works and that the caller would want to know." });
export type Warning = z.infer<typeof Warning>;
