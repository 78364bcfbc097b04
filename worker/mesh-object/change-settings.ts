import { err, ok, type Result } from "#schema/result";
import type { MeshRouting } from "../db/projections.ts";
import { type MeshParts, readOpenMesh } from "./members.ts";
import { toMeshRouting } from "./reflector-mode.ts";
import { toNextRevision } from "./revisions.ts";
import type { SettingsChange, SettingsError } from "./rpc.ts";

/** What equals the stored writes nothing. */
export function changeSettings(
  { storage, outbox }: Pick<MeshParts, "storage" | "outbox">,
  change: SettingsChange,
  nowMs: number,
): Result<MeshRouting, SettingsError> {
  const mesh = readOpenMesh(storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  const { name, fallback, routeReflectorMode, keyRotationDays } = mesh.settings;
  const changed = {
    name: change.name ?? name,
    fallback: change.fallback ?? fallback,
    routeReflectorMode: change.routeReflectorMode ?? routeReflectorMode,
    keyRotationDays: change.keyRotationDays === undefined ? keyRotationDays : change.keyRotationDays,
  };
  const gatewayCount = storage.countGateways();
  const isModeChanged = changed.routeReflectorMode !== routeReflectorMode;
  const isSame = changed.name === name && changed.fallback === fallback && changed.keyRotationDays === keyRotationDays;
  if (isSame && !isModeChanged) {
    return ok(toMeshRouting(mesh, gatewayCount));
  }
  if (isModeChanged && changed.routeReflectorMode && gatewayCount === 0) return err({ code: "gateway_required" });
  const next = toNextRevision(mesh, { isVisible: true });
  const written = { ...next, settings: { ...mesh.settings, ...changed }, settingsRevision: next.revision };
  storage.writeMesh(written);
  const routing = toMeshRouting(written, gatewayCount);
  if (isModeChanged) outbox.enqueue([{ type: "mesh_routing", ...routing }], nowMs);
  return ok(routing);
}
