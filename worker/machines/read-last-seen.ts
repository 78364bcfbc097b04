// Presence is asked, not stored: each Mesh object once for all its machines on the page, Machine objects only for machines in no mesh.
import type { MachineId } from "#schema/ids";
import type { ListedMembership } from "../db/memberships.ts";
import { toErrorFields } from "../log.ts";
import type { Services } from "../services.ts";

/** Milliseconds since the epoch of the newest sign of life; machines that were never heard, or whose objects fail, are left out. */
export async function readLastSeen(
  { objects, log }: Pick<Services, "objects" | "log">,
  machineIds: readonly MachineId[],
  memberships: readonly ListedMembership[],
): Promise<Map<MachineId, number>> {
  const lastSeen = new Map<MachineId, number>();
  const note = (machineId: MachineId, seenAt: number | null) => {
    if (seenAt !== null) lastSeen.set(machineId, Math.max(seenAt, lastSeen.get(machineId) ?? 0));
  };
  const meshes = Map.groupBy(memberships, ({ meshId }) => meshId);
  const inSomeMesh = new Set(memberships.map(({ machineId }) => machineId));
  const asks = [
    ...[...meshes].map(async ([meshId, members]) => {
      const ids = members.map(({ machineId }) => machineId);
      const presence = await objects.mesh(meshId).readPresence(ids);
      for (const machineId of ids) note(machineId, presence[machineId] ?? null);
    }),
    ...machineIds
      .filter((machineId) => !inSomeMesh.has(machineId))
      .map(async (machineId) => note(machineId, await objects.machine(machineId).readLastSeen())),
  ];
  for (const result of await Promise.allSettled(asks)) {
    // A list without one mesh's presence is worth more than no list.
    if (result.status === "rejected") log.warn("presence could not be read", toErrorFields(result.reason));
  }
  return lastSeen;
}
