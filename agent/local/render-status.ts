// `becket status` and `becket peers` as a person reads them. Pure.
import type { BgpSession } from "#schema/bgp";
import type { AgentStatus, LinkStatus, MeshStatus, PeerStatus } from "#schema/local/status";
import type { StepFailure } from "#schema/machine";
import { renderAge, renderBytes, renderTable } from "./render-table.ts";

export function renderStatus(status: AgentStatus, nowMs: number): string {
  const { machine, controlPlane, meshes } = status;
  const age = renderAge(Math.max(0, Math.round((nowMs - Date.parse(status.startedAt)) / 1_000)));
  const head = [
    `machine        ${machine === null ? "not enrolled yet" : `${machine.name} (${machine.machineId})`}`,
    `control plane  ${controlPlane.url ?? "unknown"}: ${renderLink(controlPlane.link)}`,
    `agent          version ${status.version}, process ${status.pid}, started ${age} ago`,
  ];
  const failures = [...status.failures, ...meshes.flatMap((mesh) => mesh.failures)];
  const parts = [head.join("\n"), renderMeshes(status, nowMs), renderAnnouncements(meshes), renderFailures(failures)];
  return parts.filter((part) => part !== "").join("\n\n");
}

function renderMeshes({ meshes, machine }: AgentStatus, nowMs: number): string {
  if (meshes.length === 0) return machine === null ? "" : "In no mesh.";
  return renderTable(
    [
      { title: "MESH" },
      { title: "INTERFACE" },
      { title: "ADDRESS" },
      { title: "ADDRESS6" },
      { title: "PORT", align: "right" },
      { title: "PEERS UP", align: "right" },
      { title: "IN SYNC" },
      { title: "KEY", align: "right" },
      { title: "LINK" },
    ],
    meshes.map((mesh) => [
      mesh.name,
      mesh.interfaceName,
      mesh.address ?? "-",
      mesh.address6 ?? "-",
      String(mesh.listenPort),
      `${mesh.peersUp}/${mesh.peers}`,
      mesh.revision !== null && mesh.appliedRevision === mesh.revision && mesh.failures.length === 0 ? "yes" : "no",
      mesh.keySince === null ? "-" : renderAge(Math.max(0, Math.round((nowMs - Date.parse(mesh.keySince)) / 1_000))),
      renderLink(mesh.link),
    ]),
  );
}

/** Nothing where this machine has nothing to announce. */
function renderAnnouncements(meshes: readonly MeshStatus[]): string {
  const rows = meshes.flatMap(({ name, announcements }) =>
    announcements.map(({ id, prefixes, isAnnounced, status, reason }) => [
      name,
      id,
      prefixes.length > 2 ? `${prefixes.slice(0, 2).join(" ")} (+${prefixes.length - 2})` : prefixes.join(" ") || "-",
      isAnnounced ? "yes" : "no",
      status === "unchecked" ? "-" : status,
      reason ?? "",
    ]),
  );
  if (rows.length === 0) return "";
  const titles = ["MESH", "ROUTE OR VIP", "PREFIXES", "ANNOUNCED", "HEALTH", ""];
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
  );
}

function renderLink({ state, transport, reason }: LinkStatus): string {
  if (state === "connected") return `connected by ${transport}`;
  const word = { connecting: "connecting", waiting: "not connected, trying again", stopped: "stopped" }[state];
  return reason === null ? word : `${word} (${reason})`;
}

function renderFailures(failures: readonly StepFailure[]): string {
  const lines = failures.map(({ step, code, message, since }) => `! ${step} (${code}) since ${since}: ${message}`);
  return [...new Set(lines)].join("\n");
}

/** With what is in the way, where it is not up. */
const renderSession = ({ state, lastError }: BgpSession): string => {
  if (state === "not_applicable") return "-";
  return state === "established" || lastError === null ? state : `${state} (${lastError})`;
};

export function renderPeers(peers: readonly PeerStatus[]): string {
  if (peers.length === 0) return "No peers.";
  return renderTable(
    [
      { title: "MESH" },
      { title: "MACHINE" },
      { title: "ADDRESS" },
      { title: "PATH" },
      { title: "ENDPOINT" },
      { title: "RTT", align: "right" },
      { title: "HANDSHAKE", align: "right" },
      { title: "RECEIVED", align: "right" },
      { title: "SENT", align: "right" },
      { title: "BGP" },
      { title: "STATE" },
    ],
    peers.map((peer) => [
      peer.mesh,
      peer.machine,
      peer.address,
      peer.path,
      peer.endpoint ?? "-",
      peer.latencyMs === null ? "-" : `${Math.round(peer.latencyMs)} ms`,
      peer.handshakeAgeSeconds === null ? "never" : `${renderAge(peer.handshakeAgeSeconds)} ago`,
      renderBytes(peer.receivedBytes),
      renderBytes(peer.sentBytes),
      renderSession(peer.bgp),
      peer.reason === null ? peer.state : `${peer.state}: ${peer.reason}`,
    ]),
  );
}
