// What a Prometheus is told of the control plane. One round trip to D1 and one call of each mesh, however many machines there are; nothing is
// written, and no machine is asked.
import type { MachineId } from "#schema/ids";
import { CONTROL_PLANE_METRICS, MAX_MACHINES_WITH_SERIES } from "#schema/metrics/control-plane-metrics";
import { createMetricsPage, type MetricsPage } from "#schema/metrics/metrics-page";
import { VERSION } from "#schema/version";
import { type MeshRecord, toMesh } from "../db/meshes.ts";
import { readStoredMetrics, type StoredMetrics } from "../db/metrics.ts";
import { toErrorFields } from "../log.ts";
import type { MeshMetrics } from "../mesh-object/rpc.ts";
import type { Services } from "../services.ts";

type Page = MetricsPage<typeof CONTROL_PLANE_METRICS>;
type MeshAnswer = { readonly mesh: MeshRecord; readonly told: MeshMetrics | null };

export async function readMetrics({ db, objects, log }: Pick<Services, "db" | "objects" | "log">): Promise<Page> {
  const stored = await readStoredMetrics(db, MAX_MACHINES_WITH_SERIES);
  const ask = async (mesh: MeshRecord): Promise<MeshAnswer> => {
    try {
      return { mesh, told: await objects.mesh(mesh.id).readMetrics() };
    } catch (error) {
      // One mesh that does not answer hides no other.
      log.warn("a mesh's metrics could not be read", { meshId: mesh.id, ...toErrorFields(error) });
      return { mesh, told: null };
    }
  };
  return toPage(stored, await Promise.all(stored.meshes.map(ask)));
}

function toPage(stored: StoredMetrics, answers: readonly MeshAnswer[]): Page {
  const page = createMetricsPage(CONTROL_PLANE_METRICS);
  page.set("becket_control_plane_info", { version: VERSION }, 1);
  page.set("becket_meshes", {}, stored.meshes.length);
  for (const answer of answers) setMesh(page, answer);
  setMachines(page, stored, answers);
  return page;
}

function setMesh(page: Page, { mesh: row, told }: MeshAnswer): void {
  const { name: mesh, id, cidr, asn, memberCount, vipCount } = row;
  page.set("becket_mesh_info", { mesh, mesh_id: id, cidr, asn: String(asn) }, 1);
  page.set("becket_mesh_up", { mesh }, told === null ? 0 : 1);
  // What D1 knows may be late by a moment, and is there in any case.
  page.set("becket_mesh_members", { mesh }, told?.memberCount ?? memberCount);
  page.set("becket_mesh_gateways", { mesh }, told?.gatewayCount ?? row.gatewayCount);
  const counts = { memberCount: told?.memberCount ?? memberCount, vipCount: told?.vips.count ?? vipCount };
  page.set("becket_mesh_addresses_used", { mesh }, counts.memberCount + counts.vipCount);
  page.set("becket_mesh_addresses_available", { mesh }, toMesh({ ...row, ...counts }).availableAddressCount);
  if (told === null) return;
  page.set("becket_mesh_revision", { mesh }, told.revision);
  page.set("becket_mesh_members_online", { mesh }, told.online.length);
  page.set("becket_mesh_members_failing", { mesh }, told.failingCount);
  page.set("becket_mesh_members_behind", { mesh }, told.behindCount);
  page.set("becket_mesh_connections", { mesh, transport: "websocket" }, told.connections.websocket);
  page.set("becket_mesh_connections", { mesh, transport: "long_poll" }, told.connections.longPoll);
  page.set("becket_mesh_watchers", { mesh }, told.watcherCount);
  page.set("becket_mesh_watched_members", { mesh }, told.watchedCount);
  for (const path of ["relayed", "transit", "none"] as const) {
    page.set("becket_mesh_pairs", { mesh, path }, told.pairs[path]);
  }
  page.set("becket_mesh_routes", { mesh }, told.routes.enabledCount);
  page.set("becket_mesh_routes_unheld", { mesh }, told.routes.unheldCount);
  page.set("becket_mesh_vips", { mesh }, told.vips.enabledCount);
  page.set("becket_mesh_vips_unheld", { mesh }, told.vips.unheldCount);
}

function setMachines(page: Page, stored: StoredMetrics, answers: readonly MeshAnswer[]): void {
  const online = new Set<MachineId>(answers.flatMap(({ told }) => told?.online ?? []));
  // Who is in a mesh that does not answer may be online all the same.
  const isComplete = answers.every(({ told }) => told !== null);
  const absentCount = Math.max(0, stored.machineCount - stored.unassignedCount - online.size);
  page.set("becket_machines", { state: "online" }, online.size);
  page.set("becket_machines", { state: "offline" }, isComplete ? absentCount : null);
  page.set("becket_machines", { state: "unassigned" }, stored.unassignedCount);
  page.set("becket_machines", { state: "unknown" }, isComplete ? null : absentCount);
  for (const { id, name: machine, agentVersion, isGateway, isInMesh } of stored.machines) {
    const isUp = online.has(id);
    if (isInMesh && (isUp || isComplete)) page.set("becket_machine_up", { machine }, isUp ? 1 : 0);
    const labels = { machine, machine_id: id, version: agentVersion ?? "", gateway: String(isGateway) };
    page.set("becket_machine_info", labels, 1);
  }
}
