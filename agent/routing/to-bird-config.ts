// From what the control plane says of a mesh to what its BIRD should do on this machine. Pure.
import type { AnnouncementId, AnnouncementRow, PeerRow } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { Announcement, BfdUse, BirdConfig, BirdMember, Prefix } from "../bird/bird-config.ts";
import { toKernelMetric } from "../net/kernel-metric.ts";
import { toForeignPrefixes } from "./foreign-prefixes.ts";
import { toGatewayLinks } from "./gateway-links.ts";
import { withLeaving } from "./handover.ts";
import { type Peering, toPeering } from "./peering.ts";
import type { ReflectorPhase } from "./reflector-switch.ts";
import type { RoutedMesh } from "./routed-mesh.ts";

export interface BirdInputs {
  readonly mesh: RoutedMesh;
  /** All of this machine's. */
  readonly meshes: readonly RoutedMesh[];
  /** Who announces something for a moment more, though told not to. */
  readonly leaving: readonly AnnouncementRow[];
  readonly machineId: MachineId;
  readonly logFile: string;
  /** Also what leaves, if it was announced. */
  readonly isAnnounced: (id: AnnouncementId) => boolean;
  readonly phase: ReflectorPhase;
  /** Members whose session was watched until a moment ago. */
  readonly wasWatched: (id: MachineId) => boolean;
}

/** Null: there is nothing to route, or this machine is not among the members (yet). */
export function toBirdConfig(inputs: BirdInputs): BirdConfig | null {
  const { mesh, leaving, machineId, isAnnounced } = inputs;
  const { desired, device } = mesh;
  const { id: _, asn, cidr, cidr6 } = desired.mesh;
  const self = desired.members.find((member) => member.machineId === machineId);
  const announcements = desired.announcements ?? [];
  const peering = toPeering({ ...desired, announcements: withLeaving(announcements, leaving) });
  if (self === undefined || !peering.isNeeded) return null;
  const prefixesOf = toPrefixes([...announcements, ...leaving]);
  const isOwn = ({ machineIds }: AnnouncementRow) => machineIds.includes(machineId);
  return {
    interfaceName: device.interfaceName,
    ...{ asn, cidr, cidr6 },
    address: self.address,
    address6: self.address6,
    kernelMetric: toKernelMetric(device.listenPort),
    networksOfOtherMeshes: toOtherNetworks(mesh, inputs.meshes),
    logFile: inputs.logFile,
    isGateway: self.isGateway,
    isReflected: inputs.phase !== "direct" && !self.isGateway,
    members: desired.members
      .filter((member) => member !== self)
      .map((member) => toMember(member, prefixesOf(member.machineId), peering, inputs)),
    announcements: [
      ...announcements
        .filter(isOwn)
        .map(({ id, prefixes }) => ({ id, prefixes, state: isAnnounced(id) ? "announced" : "withheld" }) as const),
      ...toOwnLeaving(leaving.filter((row) => isOwn(row) && isAnnounced(row.id))),
    ],
    meshPolicies: desired.mesh.policies,
    machinePolicies: desired.policies,
    gatewayLinks: toGatewayLinks(mesh, inputs.meshes, machineId),
  };
}

/** Of the machine's other meshes. */
export const toOtherNetworks = ({ desired }: RoutedMesh, meshes: readonly RoutedMesh[]): Prefix[] =>
  meshes.flatMap(({ desired: { mesh } }) => (mesh.id === desired.mesh.id ? [] : [mesh.cidr, mesh.cidr6]));

function toMember(
  member: PeerRow,
  prefixes: BirdMember["prefixes"],
  peering: Peering,
  { mesh, machineId: self, phase, wasWatched }: BirdInputs,
): BirdMember {
  const { machineId, name, address, address6, isGateway } = member;
  const hasSession = peering.hasSession(self, machineId, { isReflected: phase === "reflected" });
  const bfd: BfdUse = peering.isWatched(self, machineId) ? "on" : wasWatched(machineId) ? "ending" : "off";
  return {
    ...{ machineId, name, address, address6, isGateway, hasSession, prefixes },
    bfd: hasSession ? bfd : "off",
    prefixesOfOtherMeshes: isGateway ? toForeignPrefixes(mesh.desired) : [],
  };
}

/** One for each id: it names it in BIRD. */
function toOwnLeaving(rows: readonly AnnouncementRow[]): Announcement[] {
  const prefixes = new Map<AnnouncementId, Set<Prefix>>();
  for (const row of rows) prefixes.set(row.id, new Set([...(prefixes.get(row.id) ?? []), ...row.prefixes]));
  return [...prefixes].map(([id, all]) => ({ id, prefixes: [...all], state: "leaving" }));
}

function toPrefixes(rows: readonly AnnouncementRow[]): (id: MachineId) => BirdMember["prefixes"] {
  const prefixes = new Map<MachineId, Set<BirdMember["prefixes"][number]>>();
  for (const row of rows) {
    for (const id of row.machineIds) {
      const known = prefixes.get(id) ?? new Set();
      for (const prefix of row.prefixes) known.add(prefix);
      prefixes.set(id, known);
    }
  }
  return (id) => [...(prefixes.get(id) ?? [])];
}
