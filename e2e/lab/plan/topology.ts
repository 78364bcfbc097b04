// What a person writes to get a network: LANs behind a NAT each, some of them behind a carrier's NAT too, and machines on them or on the
// public internet.

import { z } from "zod";
import { isPrivateAddress, parseIpv4Cidr } from "#schema/address";
import { err, ok, type Result } from "#schema/result";
import { CarrierNatKind, NatKind } from "./nat.ts";

/** Names the lab gives itself: nodes (`internet`, `control`, `stun`) and the devices inside a router. */
const RESERVED_NAMES = ["internet", "control", "stun", "lan", "wan", "lo"];

// A machine's name is also the name of its network device on the far side; Linux allows 15 characters there.
const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,14}$/, "must be 1 to 15 lower-case letters, digits or hyphens, and begin with a letter")
  .refine((name) => !RESERVED_NAMES.includes(name), `must not be one of ${RESERVED_NAMES.join(", ")}`);

/** A private network with room for a router and some machines. Two LANs may use the same one, as homes do. */
const LanCidr = z.string().refine((text) => {
  const range = parseIpv4Cidr(text);
  return (
    range !== null && range.prefixLength >= 8 && range.prefixLength <= 29 && isPrivateAddress(text.split("/")[0] ?? "")
  );
}, "must be a private IPv4 network of /8 to /29, like 192.168.1.0/24");

const Ipv6Kind = z.enum(["none", "global"]);

const Lan = z.strictObject({
  name: Name,
  nat: NatKind.default("easy"),
  /** Default: 192.168.<index + 1>.0/24. */
  ipv4: LanCidr.optional(),
  /** `global`: a /64 of its own behind the router's firewall; `none`: IPv4 only. */
  ipv6: Ipv6Kind.default("none"),
  /** The carrier whose NAT is between the router and the internet; absent: the router has a public address. */
  carrier: z.string().optional(),
  /** After this long without a packet the router forgets a UDP mapping. Default: Linux's 30 s, and 120 s for a conversation. */
  udpTimeoutSeconds: z.int().min(1).max(86_400).optional(),
});

const Carrier = z.strictObject({ name: Name, nat: CarrierNatKind.default("easy") });

const Machine = z.strictObject({
  name: Name,
  /** The LAN it is on; absent: a public address. */
  lan: z.string().optional(),
  /** Public machines only: a machine on a LAN has what its LAN has. Default `global`. */
  ipv6: Ipv6Kind.optional(),
  /** Public machines only. `none`: IPv6 is all that it has. */
  ipv4: z.enum(["public", "none"]).optional(),
  /** Public machines only: drops what comes unasked. */
  firewall: z.boolean().optional(),
});

// One octet of a documentation range holds them: hosts 10 to 249.
const MAX_PUBLIC = 240;

export const Topology = z
  .strictObject({
    description: z.string().optional(),
    carriers: z.array(Carrier).default([]),
    lans: z.array(Lan).default([]),
    machines: z.array(Machine).min(1),
  })
  .superRefine((topology, context) => {
    const checks = [checkNames, checkLans, checkMachines, checkRoom];
    const problems = checks.flatMap((check) => check(topology));
    for (const problem of problems) context.addIssue({ code: "custom", ...problem });
  });
export type Topology = z.infer<typeof Topology>;
/** What `createLab` takes and a JSON file holds: defaults may be left out. */
export type TopologyInput = z.input<typeof Topology>;

/** The topology, or one line per mistake that begins with the field: `machines[1].lan: there is no LAN named "hme"`. */
export function parseTopology(value: unknown): Result<Topology, string[]> {
  const parsed = Topology.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return err(parsed.error.issues.map((issue) => `${renderPath(issue.path)}: ${issue.message}`));
}

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}
type Unchecked = Pick<Topology, "carriers" | "lans" | "machines">;

function checkNames({ carriers, lans, machines }: Unchecked): Problem[] {
  const seen = new Set<string>();
  return Object.entries({ carriers, lans, machines }).flatMap(([list, entries]) =>
    entries.flatMap(({ name }, index) => {
      const isTaken = seen.has(name);
      seen.add(name);
      const message = `"${name}" is taken; carriers, LANs and machines share one set of names`;
      return isTaken ? [{ path: [list, index, "name"], message }] : [];
    }),
  );
}

function checkLans({ carriers, lans, machines }: Unchecked): Problem[] {
  return lans.flatMap(({ name, nat, ipv6, carrier }, index): Problem[] => {
    const problem = (field: string, message: string): Problem[] => [{ path: ["lans", index, field], message }];
    if (nat === "full-cone" && machines.filter((machine) => machine.lan === name).length > 1)
      return problem("nat", "a full-cone NAT opens all ports to one machine; put no other on this LAN");
    if (carrier === undefined) return [];
    if (!carriers.some((candidate) => candidate.name === carrier))
      return problem("carrier", `there is no carrier named "${carrier}"`);
    if (ipv6 !== "none") return problem("ipv6", "is not to be had behind a carrier");
    return nat === "mapped" ? problem("nat", "a router maps no ports behind a carrier: its address is not public") : [];
  });
}

/** What a machine on a LAN has from its LAN. */
const PUBLIC_ONLY = ["ipv6", "ipv4", "firewall"] as const;

function checkMachines({ lans, machines }: Unchecked): Problem[] {
  return machines.flatMap((machine, index): Problem[] => {
    const at = (field: string, message: string): Problem[] => [{ path: ["machines", index, field], message }];
    if (machine.lan === undefined)
      return machine.ipv4 === "none" && machine.ipv6 === "none" ? at("ipv6", "is all that is left without IPv4") : [];
    if (!lans.some((lan) => lan.name === machine.lan)) return at("lan", `there is no LAN named "${machine.lan}"`);
    const field = PUBLIC_ONLY.find((candidate) => machine[candidate] !== undefined);
    return field ? at(field, "is for public machines; a machine on a LAN follows its LAN") : [];
  });
}

function checkRoom({ carriers, lans, machines }: Unchecked): Problem[] {
  const countOn = (lan: string | undefined) => machines.filter((machine) => machine.lan === lan).length;
  const crowded = lans.flatMap((lan, index): Problem[] => {
    const range = lan.ipv4 === undefined ? null : parseIpv4Cidr(lan.ipv4);
    // Network, broadcast and router addresses are not for machines.
    const room = range ? range.last - range.first - 2 : 253;
    const wanted = countOn(lan.name);
    return wanted > room
      ? [{ path: ["lans", index, "ipv4"], message: `has too few addresses for ${wanted} machines` }]
      : [];
  });
  const tooMany = (list: string, what: string) => ({ path: [list], message: `at most ${MAX_PUBLIC} ${what}` });
  return [
    ...crowded,
    ...(countOn(undefined) > MAX_PUBLIC ? [tooMany("machines", "may be public")] : []),
    ...(lans.length + carriers.length > MAX_PUBLIC ? [tooMany("lans", "may there be, carriers included")] : []),
  ];
}

function renderPath(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "") || "topology";
}
