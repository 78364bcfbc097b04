// What each member's BIRD is to do, in the product's own terms. Everybody announces one IPv4 and one IPv6 prefix: the most sessions that there
// can be. Pure.

import { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import { MachineId } from "#schema/ids";
import type { BirdConfig, BirdMember, Prefix } from "../../agent/bird/bird-config.ts";

/** `reflectors`: the first members are gateways, and everybody else has sessions with these only. */
export interface Mesh {
  readonly members: number;
  readonly reflectors: number;
}

export const INTERFACE = "bkt-bench";
export const CIDR = Ipv4Cidr.parse("10.77.0.0/16");
export const CIDR6 = Ipv6Cidr.parse("fd77::/64");
const ASN = 4_200_000_077;
/** Marks the BIRDs' routes in the kernel. */
export const KERNEL_METRIC = 61_820;

/** @param member counts from 1 */
export const toAddress = (member: number): Ipv4 => Ipv4.parse(`10.77.${member >> 8}.${member & 255}`);
export const toAddress6 = (member: number): Ipv6 => Ipv6.parse(`fd77::${member.toString(16)}`);

export const toPrefixes = (member: number): readonly Prefix[] => [
  Ipv4Cidr.parse(`172.${16 + (member >> 8)}.${member & 255}.0/24`),
  Ipv6Cidr.parse(`fd50:${member.toString(16)}::/32`),
];

/** Of a whole mesh, when all are up. */
export const countSessions = (mesh: Mesh): number =>
  range(mesh.members).reduce((sum, member) => sum + countSessionsOf(mesh, member), 0) / 2;

export const countSessionsOf = ({ members, reflectors }: Mesh, member: number): number =>
  reflectors === 0 || member <= reflectors ? members - 1 : reflectors;

/** As this member has it. `isAnnouncing` false: as when its health check fails. */
export function toBirdConfig(mesh: Mesh, member: number, { isAnnouncing = true } = {}): BirdConfig {
  const others = range(mesh.members).filter((other) => other !== member);
  return {
    interfaceName: INTERFACE,
    asn: ASN,
    cidr: CIDR,
    cidr6: CIDR6,
    address: toAddress(member),
    address6: toAddress6(member),
    kernelMetric: KERNEL_METRIC,
    logFile: `/run/m${member}.log`,
    isGateway: isReflector(mesh, member),
    members: others.map((other) => toMember(mesh, member, other)),
    announcements: [{ id: "bench", prefixes: toPrefixes(member), isEnabled: isAnnouncing }],
    gatewayLinks: [],
  };
}

/** 1 … count */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const isReflector = ({ reflectors }: Mesh, member: number): boolean => member <= reflectors;

function toMember(mesh: Mesh, member: number, other: number): BirdMember {
  const byReflector = isReflector(mesh, member) || isReflector(mesh, other);
  return {
    machineId: MachineId.parse(`mch_${String(other).padStart(26, "0")}`),
    name: `member-${other}`,
    address: toAddress(other),
    address6: toAddress6(other),
    hasSession: mesh.reflectors === 0 || byReflector,
    // Where there is somebody to fail over to.
    bfd: mesh.reflectors >= 2 && byReflector ? "on" : "off",
    isGateway: isReflector(mesh, other),
    prefixes: toPrefixes(other),
    prefixesOfOtherMeshes: [],
  };
}
