// From what the agent knows to what a Prometheus is told. Pure.
import type { AnnouncementState } from "#schema/announcement-state";
import { NO_SESSION } from "#schema/bgp";
import type { PeerRow } from "#schema/desired-state";
import { ID_PREFIXES, type MachineId, type MeshId } from "#schema/ids";
import { AGENT_METRICS } from "#schema/metrics/agent-metrics";
import { createMetricsPage, type MetricsPage } from "#schema/metrics/metrics-page";
import type { HostFacts } from "../agent.ts";
import type { MeshView } from "../control/mesh-view.ts";
import { type StatusInput, toLinkStatus } from "../local/to-status.ts";
import type { RouteCounts } from "../routing/view/to-bgp-sessions.ts";
import type { ProcessUsage } from "../system/process-usage.ts";
import type { WireGuardDevice, WireGuardPeer } from "../wireguard/parse-dump.ts";

export type AgentMetrics = MetricsPage<typeof AGENT_METRICS>;

export interface MetricsInput
  extends Pick<
    StatusInput,
    "version" | "enrolment" | "connection" | "meshes" | "failures" | "announcementsOf" | "toWallMs"
  > {
  readonly host: Pick<HostFacts, "nodeVersion" | "kernelVersion">;
  readonly process: ProcessUsage;
  /** By interface; null: WireGuard did not answer. */
  readonly devices: ReadonlyMap<string, WireGuardDevice | null>;
  /** Null: there is no session with the peer. */
  readonly routesFrom: (meshId: MeshId, peerId: MachineId) => RouteCounts | null;
}

export function toMetrics(input: MetricsInput): AgentMetrics {
  const page = createMetricsPage(AGENT_METRICS);
  const { enrolment, host, process } = input;
  const machine = { machine: enrolment?.name ?? "", machine_id: enrolment?.machineId ?? "" };
  const versions = { version: input.version, node_version: host.nodeVersion, kernel_version: host.kernelVersion };
  page.set("becket_agent_info", { ...machine, ...versions }, 1);
  page.set("becket_agent_control_plane_up", {}, toNumber(toLinkStatus(input.connection).state === "connected"));
  page.set("becket_agent_failures", {}, input.failures.length);
  for (const mesh of input.meshes) setMesh(page, mesh, input);
  page.set("process_cpu_seconds_total", {}, process.cpuSeconds);
  page.set("process_resident_memory_bytes", {}, process.residentBytes);
  page.set("process_start_time_seconds", {}, process.startedAtMs / 1_000);
  return page;
}

function setMesh(page: AgentMetrics, view: MeshView, input: MetricsInput): void {
  const { name: mesh, meshId, desired, device } = view;
  const self = desired?.members.find(({ machineId }) => machineId === input.enrolment?.machineId);
  const rows = (desired?.members ?? []).filter((row) => row !== self);
  const addresses = { address: self?.address ?? "", address6: self?.address6 ?? "" };
  page.set("becket_agent_mesh_info", { mesh, mesh_id: meshId, interface: device.interfaceName, ...addresses }, 1);
  page.set("becket_agent_mesh_up", { mesh }, toNumber(toLinkStatus(view.connection).state === "connected"));
  page.set("becket_agent_mesh_revision", { mesh }, desired?.revision ?? null);
  page.set("becket_agent_mesh_applied_revision", { mesh }, view.applied?.revision ?? null);
  page.set("becket_agent_mesh_failures", { mesh }, view.failures.length);
  page.set("becket_agent_mesh_peers", { mesh }, rows.length);
  const peers = new Map(input.devices.get(device.interfaceName)?.peers.map((peer) => [peer.publicKey, peer]));
  for (const row of rows) setPeer(page, { view, row, peer: peers.get(row.publicKey) ?? null }, input);
  const prefixes = new Map(desired?.announcements?.map((row) => [row.id, row.prefixes]));
  for (const state of input.announcementsOf(meshId)) {
    setAnnouncement(page, mesh, { ...state, prefix: prefixes.get(state.id)?.[0] ?? "" });
  }
}

interface PeerFacts {
  readonly view: MeshView;
  readonly row: PeerRow;
  /** Null: WireGuard does not have it. */
  readonly peer: WireGuardPeer | null;
}

function setPeer(page: AgentMetrics, { view, row, peer }: PeerFacts, { routesFrom, toWallMs }: MetricsInput): void {
  const labels = { mesh: view.name, peer: row.name };
  const explanation = view.paths.explain(row.machineId);
  const status = explanation?.status ?? "waiting";
  page.set("becket_agent_peer_up", labels, toNumber(status === "up"));
  page.set("becket_agent_peer_status", { ...labels, status }, 1);
  page.set("becket_agent_peer_path", { ...labels, path: explanation?.path ?? "none" }, 1);
  const handshakeMs = peer?.latestHandshakeMs ?? null;
  const handshakeSeconds = handshakeMs === null ? null : Math.round(toWallMs(handshakeMs) / 1_000);
  page.set("becket_agent_peer_last_handshake_timestamp_seconds", labels, handshakeSeconds);
  const latencyMs = explanation?.latencyMs ?? null;
  page.set("becket_agent_peer_latency_seconds", labels, latencyMs === null ? null : latencyMs / 1_000);
  page.set("becket_agent_peer_loss_ratio", labels, explanation?.lossRatio ?? null);
  page.set("becket_agent_peer_receive_bytes_total", labels, peer?.receivedBytes ?? null);
  page.set("becket_agent_peer_transmit_bytes_total", labels, peer?.sentBytes ?? null);
  const bgp = explanation?.bgp ?? NO_SESSION;
  if (bgp.state === NO_SESSION.state) return;
  page.set("becket_agent_bgp_session_up", labels, toNumber(bgp.state === "established"));
  const routes = routesFrom(view.meshId, row.machineId);
  page.set("becket_agent_bgp_routes_received", labels, routes?.received ?? null);
  page.set("becket_agent_bgp_routes_filtered", labels, routes?.filtered ?? null);
}

function setAnnouncement(
  page: AgentMetrics,
  mesh: string,
  state: AnnouncementState & { readonly prefix: string },
): void {
  const { id, isAnnounced, status, prefix } = state;
  const labels = { mesh, announcement: id, kind: id.startsWith(ID_PREFIXES.vip) ? "vip" : "route", prefix };
  page.set("becket_agent_announcement_up", labels, toNumber(isAnnounced));
  page.set("becket_agent_announcement_status", { ...labels, status }, 1);
}

const toNumber = (isTrue: boolean): number => (isTrue ? 1 : 0);
