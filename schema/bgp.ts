// What a machine's BIRD says: its sessions and its routes. As the machine tells it, on demand.
import { z } from "zod";
import { MachineId, MeshId } from "./ids.ts";
import { Prefix } from "./prefix.ts";
import { SpokenText } from "./spoken-text.ts";
import { Timestamp } from "./timestamp.ts";

/** RFC 4271, section 8.2.2, in our spelling. */
export const BgpState = z
  .enum(["established", "active", "connect", "idle", "open_sent", "open_confirm", "not_applicable"])
  .meta({
    id: "BgpState",
    description:
      "The state of the BGP session (RFC 4271). `not_applicable`: the two have none, because neither announces anything nor is a gateway, or because gateways pass on all routes.",
    examples: ["established"],
  });
export type BgpState = z.infer<typeof BgpState>;

export const BgpSession = z
  .object({
    state: BgpState,
    since: Timestamp.nullable().describe("When the session came up, or went down; null where there is none."),
    lastError: SpokenText.nullable().meta({
      description: "Why it is not, or was not, established; null: never anything else.",
      examples: ["Received: Hold timer expired"],
    }),
  })
  .meta({ id: "BgpSession", description: "The BGP session with a peer." });
export type BgpSession = z.infer<typeof BgpSession>;
export const NO_SESSION: BgpSession = { state: "not_applicable", since: null, lastError: null };

/** What one answer holds at most; the rest can be asked for by prefix. */
export const MAX_RIB_ROUTES = 2_000;
/** AS numbers of a path, communities of a route; further ones are not told. */
export const MAX_RIB_LIST = 64;

/** BIRD writes ASCII. */
const text = z
  .string()
  .max(64)
  .regex(/^[ -~]*$/);

export const FilterReason = z
  .object({
    code: z.enum(["not_authorised", "mesh_network", "foreign_next_hop", "unknown_next_hop", "policy", "unknown"]).meta({
      description:
        "`not_authorised`: no route or VIP lets the member announce it. `mesh_network`: it is of the mesh's own networks. `foreign_next_hop`: the peer named another member as next hop and is no gateway. `unknown_next_hop`: the next hop is no member's address. `policy`: the machine's import policy set refuses it, or it is of another mesh and not among what gateways may bring, or the mesh's import policy set refuses it. `unknown`: the filter of before may have refused it.",
      examples: ["not_authorised"],
    }),
    message: SpokenText.meta({
      description: "Why, for people.",
      examples: ["no route or VIP of this mesh lets build-server announce 192.168.7.0/24"],
    }),
  })
  .meta({ id: "FilterReason", description: "Why an import filter refused a route." });
export type FilterReason = z.infer<typeof FilterReason>;

export const RibRoute = z
  .object({
    prefix: Prefix,
    nextHop: text
      .nullable()
      .meta({ description: "As announced; null for what this machine announces itself.", examples: ["10.77.0.3"] }),
    origin: z
      .object({ machineId: MachineId, name: text.describe("Its name.") })
      .nullable()
      .describe("The member that the next hop belongs to; null for what came from another mesh of this machine."),
    source: z
      .object({
        kind: z.enum(["own", "peer", "gateway_link", "other"]).meta({
          description:
            "`own`: this machine announces it. `peer`: it came over a session with a member. `gateway_link`: from another mesh of this machine.",
          examples: ["peer"],
        }),
        protocol: text.meta({ description: "The protocol's name in BIRD.", examples: ["announce_vip_ipv4"] }),
        machineId: MachineId.nullable().describe("The member that told it, where one did."),
        name: text.nullable().meta({ description: "Its name.", examples: ["build-server"] }),
        meshId: MeshId.nullable().describe("The mesh that it came from, on a gateway link."),
      })
      .describe("Where it came from."),
    asPath: z
      .array(text)
      .max(MAX_RIB_LIST)
      .meta({ description: "The nearest first; empty for what began in this mesh.", examples: [["4200000001"]] }),
    localPreference: z
      .number()
      .int()
      .nullable()
      .meta({ description: "The highest is used.", examples: [100] }),
    med: z
      .number()
      .int()
      .nullable()
      .meta({ description: "The lowest is used, among equals.", examples: [0] }),
    communities: z
      .array(text)
      .max(MAX_RIB_LIST)
      .meta({ description: "Large ones have three parts.", examples: [["65000:100"]] }),
    isBest: z.boolean().meta({ description: "The one of its prefix that is used.", examples: [true] }),
    filterReason: FilterReason.nullable().describe("Why it is not used at all; null when no filter refused it."),
    since: Timestamp.describe("When it came."),
  })
  .meta({ id: "RibRoute", description: "A route that a machine knows of." });
export type RibRoute = z.infer<typeof RibRoute>;
