// What a machine's routing does right now.
import type { MachineAnnouncement, MachineRib } from "#schema/api/machine-routing";
import { MAX_RIB_ROUTES } from "#schema/bgp";
import type { MachineId, MeshId } from "#schema/ids";
import type { Prefix } from "#schema/prefix";
import { ok, type Result } from "#schema/result";
import { askMeshes, type LiveFailure, type LiveParts } from "./ask-meshes.ts";
import { readTelemetry } from "./read-telemetry.ts";

/** BIRD is asked twice, with 5 s for each; 10,000 routes take it some 100 ms. */
const RIB_WAIT_MS = 10_000;

export async function readRib(
  services: LiveParts,
  { machineId, meshId, prefix }: { machineId: MachineId; meshId: MeshId | undefined; prefix: Prefix | undefined },
): Promise<Result<MachineRib, LiveFailure>> {
  const told = await askMeshes(services, {
    ...{ machineId, waitMs: RIB_WAIT_MS, isWanted: (place) => meshId === undefined || place.meshId === meshId },
    ask: (mesh) => mesh.readRib(machineId, { prefix: prefix ?? null, waitMs: RIB_WAIT_MS }),
  });
  if (!told.ok) return told;
  const items = told.value.flatMap(({ meshId, value }) => value.routes.map((route) => ({ ...route, meshId })));
  return ok({
    items: items.slice(0, MAX_RIB_ROUTES),
    isTruncated: items.length > MAX_RIB_ROUTES || told.value.some(({ value }) => value.isTruncated),
    problems: told.value.flatMap(({ meshId, value: { problem } }) =>
      problem === null ? [] : [{ meshId, message: problem }],
    ),
  });
}

export async function listMachineAnnouncements(
  services: LiveParts,
  { machineId, meshId }: { machineId: MachineId; meshId: MeshId | undefined },
): Promise<Result<{ items: MachineAnnouncement[] }, LiveFailure>> {
  const told = await readTelemetry(services, machineId, (place) => meshId === undefined || place.meshId === meshId);
  return told.ok ? ok({ items: told.value.flatMap(({ announcements }) => announcements) }) : told;
}
