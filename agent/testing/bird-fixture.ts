// A mesh for tests of BIRD: 10.77.0.0/16, fd77::/64, members by number.
import { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import { MachineId, MeshId } from "#schema/ids";
import { NO_POLICIES } from "#schema/policy";
import type { BirdConfig, BirdMember, GatewayLink, Prefix } from "../bird/bird-config.ts";

const toUlid = (number: number) => String(number).padStart(26, "0");
export const toMachineId = (number: number): MachineId => MachineId.parse(`mch_${toUlid(number)}`);
export const toMeshId = (number: number): MeshId => MeshId.parse(`msh_${toUlid(number)}`);

export const prefix = (text: string): Prefix => (text.includes(":") ? Ipv6Cidr.parse(text) : Ipv4Cidr.parse(text));

/** As member `number` of the mesh sees it. */
export function birdConfig(number: number, changes: Partial<BirdConfig> = {}): BirdConfig {
  return {
    interfaceName: "bkt-prod",
    asn: 4_200_000_077,
    cidr: Ipv4Cidr.parse("10.77.0.0/16"),
    cidr6: Ipv6Cidr.parse("fd77::/64"),
    address: Ipv4.parse(`10.77.0.${number}`),
    address6: Ipv6.parse(`fd77::${number}`),
    kernelMetric: 5_201,
    networksOfOtherMeshes: [],
    logFile: "/run/becket/bird/bkt-prod.log",
    isGateway: false,
    isReflected: false,
    members: [],
    announcements: [],
    meshPolicies: NO_POLICIES,
    machinePolicies: NO_POLICIES,
    gatewayLinks: [],
    ...changes,
  };
}

export function birdMember(number: number, changes: Partial<BirdMember> = {}): BirdMember {
  return {
    machineId: toMachineId(number),
    name: `member-${number}`,
    address: Ipv4.parse(`10.77.0.${number}`),
    address6: Ipv6.parse(`fd77::${number}`),
    hasSession: true,
    bfd: "off",
    isGateway: false,
    prefixes: [],
    prefixesOfOtherMeshes: [],
    ...changes,
  };
}

export function gatewayLink(changes: Partial<GatewayLink> = {}): GatewayLink {
  return {
    meshId: toMeshId(88),
    asn: 4_200_000_088,
    localAddress: Ipv4.parse("127.0.1.1"),
    remoteAddress: Ipv4.parse("127.0.1.2"),
    meshAddress: Ipv4.parse("10.88.0.1"),
    meshAddress6: Ipv6.parse("fd88::1"),
    prefixes: [prefix("10.88.0.0/16"), prefix("fd88::/64"), prefix("192.168.88.0/24")],
    ...changes,
  };
}
