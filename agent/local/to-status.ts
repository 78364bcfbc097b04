// From what the agent holds and what WireGuard says to what people and programs are shown. Pure.

import type { AnnouncementState } from "#schema/announcement-state";
import { NO_SESSION } from "#schema/bgp";
import type { PeerRow } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import type { EnrolmentFile } from "#schema/local/agent-files";
import type { AgentStatus, LinkStatus, MeshStatus, PeerState, PeerStatus } from "#schema/local/status";
import type { StepFailure } from "#schema/machine";
import type { PeerExplanation } from "#schema/path";
import type { ConnectionState } from "../control/connection.ts";
import type { MeshView } from "../control/mesh-view.ts";
import type { ObservedState } from "../reconcile/observed-state.ts";
import type { WireGuardPeer } from "../wireguard/parse-dump.ts";
import { SESSION_MS } from "../wireguard/session-time.ts";

export interface StatusInput {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly url: string | null;
  readonly enrolment: EnrolmentFile | null;
  readonly connection: ConnectionState;
  readonly meshes: readonly MeshView[];
  readonly observed: ObservedState;
  readonly failures: readonly StepFailure[];
  readonly announcementsOf: (meshId: MeshId) => readonly AnnouncementState[];
  readonly nowMs: number;
  /** By the wall clock. */
  readonly toWallMs: (atMs: number) => number;
}

export function toAgentStatus(input: StatusInput): AgentStatus {
  const { enrolment } = input;
  const peers = toPeerList(input);
  return {
    version: input.version,
    pid: input.pid,
    startedAt: new Date(input.toWallMs(input.startedAtMs)).toISOString(),
    machine: enrolment === null ? null : { machineId: enrolment.machineId, name: enrolment.name },
    controlPlane: { url: enrolment?.controlPlaneUrl ?? input.url, link: toLinkStatus(input.connection) },
    meshes: input.meshes.map((mesh) =>
      toMeshStatus(
        mesh,
        enrolment,
        peers.filter(({ meshId }) => meshId === mesh.meshId),
        input.announcementsOf(mesh.meshId),
      ),
    ),
    failures: [...input.failures],
  };
}

function toMeshStatus(
  mesh: MeshView,
  enrolment: EnrolmentFile | null,
  peers: readonly PeerStatus[],
  announcements: readonly AnnouncementState[],
): MeshStatus {
  const prefixes = new Map(mesh.desired?.announcements?.map((row) => [row.id, row.prefixes]));
  const self = mesh.desired?.members.find(({ machineId }) => machineId === enrolment?.machineId);
  return {
    meshId: mesh.meshId,
    name: mesh.name,
    interfaceName: mesh.device.interfaceName,
    listenPort: mesh.device.listenPort,
    publicKey: mesh.device.publicKey,
    keySince: self?.keySinceMs === undefined ? null : new Date(self.keySinceMs).toISOString(),
    address: self?.address ?? null,
    address6: self?.address6 ?? null,
    peers: peers.length,
    peersUp: peers.filter(({ state }) => state === "up").length,
    revision: mesh.desired?.revision ?? null,
    appliedRevision: mesh.applied?.revision ?? null,
    link: toLinkStatus(mesh.connection),
    announcements: announcements.map((state) => ({ ...state, prefixes: prefixes.get(state.id) ?? [] })),
    failures: [...mesh.failures],
  };
}

export function toLinkStatus(state: ConnectionState): LinkStatus {
  switch (state.kind) {
    case "connecting":
      return { state: "connecting", transport: null, reason: null };
    case "connected":
      return { state: "connected", transport: state.transport, reason: null };
    case "waiting":
    case "stopped":
      return { state: state.kind, transport: null, reason: state.reason };
  }
}

export function toPeerList(
  input: Pick<StatusInput, "meshes" | "observed" | "enrolment" | "nowMs" | "toWallMs">,
): PeerStatus[] {
  const { meshes, observed, enrolment } = input;
  return meshes.flatMap((mesh) => {
    const link = observed.links.find(({ name }) => name === mesh.device.interfaceName);
    const device = link?.wireguard.state === "present" ? link.wireguard.device : null;
    const peers = new Map((device?.peers ?? []).map((peer) => [peer.publicKey, peer]));
    return (mesh.desired?.members ?? [])
      .filter(({ machineId }) => machineId !== enrolment?.machineId)
      .map((row) => toPeerStatus(mesh, row, peers.get(row.publicKey) ?? null, input));
  });
}

function toPeerStatus(
  mesh: MeshView,
  row: PeerRow,
  peer: WireGuardPeer | null,
  { nowMs, toWallMs }: Pick<StatusInput, "nowMs" | "toWallMs">,
): PeerStatus {
  const { machineId, name, address, address6, publicKey } = row;
  const handshakeMs = peer?.latestHandshakeMs ?? null;
  const explanation = mesh.paths.explain(machineId);
  return {
    meshId: mesh.meshId,
    mesh: mesh.name,
    machineId,
    machine: name,
    address,
    address6,
    publicKey,
    // WireGuard's own word: on any other path it sends to the agent's loopback socket.
    endpoint: explanation?.path === "direct" ? (peer?.endpoint ?? null) : null,
    lastHandshakeAt: handshakeMs === null ? null : new Date(toWallMs(handshakeMs)).toISOString(),
    handshakeAgeSeconds: handshakeMs === null ? null : Math.max(0, Math.round((nowMs - handshakeMs) / 1_000)),
    receivedBytes: peer?.receivedBytes ?? 0,
    sentBytes: peer?.sentBytes ?? 0,
    path: explanation?.path ?? "none",
    pathReason: explanation?.reason ?? null,
    latencyMs: explanation?.latencyMs ?? null,
    ...toPeerState(peer, explanation, nowMs),
    bgp: explanation?.bgp ?? NO_SESSION,
  };
}

function toPeerState(
  peer: WireGuardPeer | null,
  explanation: PeerExplanation | null,
  nowMs: number,
): { readonly state: PeerState; readonly reason: string | null } {
  if (peer === null || explanation === null) return { state: "waiting", reason: "not configured yet" };
  const { latestHandshakeMs } = peer;
  const isRecent = latestHandshakeMs !== null && nowMs - latestHandshakeMs < SESSION_MS;
  if (isRecent && explanation.path !== "none") return { state: "up", reason: null };
  const isCalm = explanation.path !== "none" || explanation.status === "idle";
  return isCalm ? { state: "idle", reason: "no traffic" } : { state: "waiting", reason: explanation.reason.message };
}

/** @param peer a name, a machine id or a mesh IP */
export function explainPeer(meshes: readonly MeshView[], peer: string): PeerExplanation[] {
  const isMeant = (row: PeerRow) => [row.name, row.machineId, row.address, row.address6].some((text) => text === peer);
  return meshes.flatMap(({ desired, paths }) =>
    (desired?.members ?? []).filter(isMeant).flatMap(({ machineId }) => paths.explain(machineId) ?? []),
  );
}
