// A mesh as the control plane would tell it, and what each member's BIRD is to do, as the agent makes it of that. Everybody announces one IPv4 and
// one IPv6 prefix: the most sessions that there can be. Pure.
import { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import { DesiredMesh } from "#schema/desired-state";
import { MachineId, RouteId } from "#schema/ids";
import type { BirdConfig } from "../../agent/bird/bird-config.ts";
import { toKernelMetric } from "../../agent/net/kernel-metric.ts";
import type { RoutedMesh } from "../../agent/routing/routed-mesh.ts";
import { toBirdConfig } from "../../agent/routing/to-bird-config.ts";

/** With reflectors: the first members are gateways, and everybody else has sessions with these only. */
export interface Mesh {
  readonly members: number;
  readonly reflectors: number;
}

/** As one member has it. `isAnnouncing` false: as when its health check fails. */
export type ToConfig = (member: number, options?: { readonly isAnnouncing: boolean }) => BirdConfig;

export const INTERFACE = "bkt-bench";
export const CIDR = Ipv4Cidr.parse("10.77.0.0/16");
export const CIDR6 = Ipv6Cidr.parse("fd77::/64");
const LISTEN_PORT = 51_820;
/** Marks the BIRDs' routes in the kernel. */
export const KERNEL_METRIC = toKernelMetric(LISTEN_PORT);

/** @param member counts from 1 */
export const toAddress = (member: number): Ipv4 => Ipv4.parse(`10.77.${member >> 8}.${member & 255}`);
export const toAddress6 = (member: number): Ipv6 => Ipv6.parse(`fd77::${member.toString(16)}`);

/** Of a whole mesh, when all are up. */
export const countSessions = (mesh: Mesh): number =>
  range(mesh.members).reduce((sum, member) => sum + countSessionsOf(mesh, member), 0) / 2;

export const countSessionsOf = ({ members, reflectors }: Mesh, member: number): number =>
  reflectors === 0 || member <= reflectors ? members - 1 : reflectors;

export function createConfigs(mesh: Mesh): ToConfig {
  const routed: RoutedMesh = {
    desired: toDesiredMesh(mesh),
    device: { interfaceName: INTERFACE, listenPort: LISTEN_PORT },
  };
  return (member, { isAnnouncing } = { isAnnouncing: true }) => {
    const config = toBirdConfig({
      mesh: routed,
      meshes: [routed],
      leaving: [],
      machineId: toMachineId(member),
      logFile: `/run/m${member}.log`,
      isAnnounced: () => isAnnouncing,
      phase: mesh.reflectors > 0 ? "reflected" : "direct",
      wasWatched: () => false,
    });
    if (config === null) throw new Error(`${member} is no member`);
    return config;
  };
}

/** 1 … count */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const toUlid = (number: number): string => String(number).padStart(26, "0");
const toMachineId = (member: number): MachineId => MachineId.parse(`mch_${toUlid(member)}`);

function toDesiredMesh({ members, reflectors }: Mesh): DesiredMesh {
  const numbers = range(members);
  return DesiredMesh.parse({
    mesh: {
      ...{ id: `msh_${toUlid(1)}`, name: "bench", cidr: CIDR, cidr6: CIDR6, asn: 4_200_000_077 },
      routeReflectorMode: reflectors > 0,
    },
    ...{ epoch: "bench", revision: 1 },
    members: numbers.map((member) => ({
      ...{ machineId: toMachineId(member), name: `member-${member}`, candidates: [] },
      ...{ address: toAddress(member), address6: toAddress6(member), isGateway: member <= reflectors },
      publicKey: `${toUlid(member).padStart(42, "k")}A=`,
    })),
    announcements: numbers.map((member) => ({
      id: RouteId.parse(`rt_${toUlid(member)}`),
      prefixes: [`172.${16 + (member >> 8)}.${member & 255}.0/24`, `fd50:${member.toString(16)}::/32`],
      machineIds: [toMachineId(member)],
    })),
  });
}
