// The network under the BIRDs, as lines for `ip -batch`. Pure.
//
// Each member has a cable to one namespace that forwards between them. Nobody asks for hardware addresses: they are written down, as on
// WireGuard's interfaces there are none. A bridge would carry each of n² questions to n members, and the kernel has one small table of
// neighbours for all namespaces (gc_thresh3, 1,024 entries): n² of them don't fit, so a member sends all to one neighbour, the hub.
import { CIDR, CIDR6, INTERFACE, range, toAddress, toAddress6 } from "./mesh-of-birds.ts";

/** All ends of cables have the same one: a cable has no third end. */
const HARDWARE = "02:00:00:00:00:01";
const HUB = "169.254.0.1";
const TABLE = 100;

/** In the hub. The namespaces are named by `toNamespace`. */
export const renderHub = (members: number): string =>
  toLines([
    ...range(members).map((member) => `netns add ${toNamespace(member)}`),
    ...range(members).flatMap((member) => {
      const far = `peer name ${INTERFACE} address ${HARDWARE} netns ${toNamespace(member)}`;
      return [
        `link add dev p${member} address ${HARDWARE} up type veth ${far}`,
        `route add ${toAddress(member)}/32 dev p${member}`,
        `neigh add ${toAddress(member)} lladdr ${HARDWARE} dev p${member} nud permanent`,
      ];
    }),
  ]);

/**
 * In a member. The mesh's network is on its interface, so that the kernel takes next hops in it; what BIRD itself says goes by the table that
 * knows the hub.
 */
export const renderMember = (member: number): string =>
  toLines([
    "link set dev lo up",
    `link set dev ${INTERFACE} addrgenmode none up`,
    `address add ${toAddress(member)}/${toLength(CIDR)} dev ${INTERFACE}`,
    `address add ${toAddress6(member)}/${toLength(CIDR6)} dev ${INTERFACE} nodad`,
    `neigh add ${HUB} lladdr ${HARDWARE} dev ${INTERFACE} nud permanent`,
    `route add ${CIDR} via ${HUB} dev ${INTERFACE} onlink table ${TABLE}`,
    `rule add from ${CIDR} lookup ${TABLE}`,
  ]);

export const toNamespace = (member: number): string => `m${member}`;

const toLength = (cidr: string): string => cidr.split("/")[1] ?? "";
const toLines = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
