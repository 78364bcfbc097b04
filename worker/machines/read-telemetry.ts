// What a machine says of its links right now.
import type { MachineId, MeshId } from "#schema/ids";
import type { NatReport } from "#schema/nat";
import { type ObservedEndpoint, type PeerExplanation, type PeerTelemetry, toPeerTelemetry } from "#schema/path";
import { err, ok, type Result } from "#schema/result";
import { findMachine } from "../db/machines.ts";
import { type ListedMembership, listMembershipsOf } from "../db/memberships.ts";
import type { Failure } from "../failure.ts";
import type { MemberTelemetry, MeshObjectRpc } from "../mesh-object/rpc.ts";
import { askMeshes, type LiveFailure, type LiveParts } from "./ask-meshes.ts";

type Parts = LiveParts;
type TelemetryFailure = LiveFailure;

/** Rates and loss take a machine two or three seconds to measure. */
const WAIT_MS = 4_000;

export async function listPeers(
  services: Parts,
  { machineId, meshId }: { machineId: MachineId; meshId: MeshId | undefined },
): Promise<Result<{ items: PeerTelemetry[] }, TelemetryFailure>> {
  const told = await readTelemetry(services, machineId, (place) => meshId === undefined || place.meshId === meshId);
  if (!told.ok) return told;
  return ok({ items: told.value.flatMap(({ peers }) => peers.map(toPeerTelemetry)) });
}

export async function explainPeer(
  services: Parts,
  { machineId, peerId }: { machineId: MachineId; peerId: MachineId },
): Promise<Result<{ items: PeerExplanation[] }, TelemetryFailure | Failure<"peer_not_found">>> {
  const shared = await readSharedMeshes(services, machineId, peerId);
  if (!shared.ok) return shared;
  const told = await readTelemetry(services, machineId, ({ meshId }) => shared.value.has(meshId));
  if (!told.ok) return told;
  const items = told.value.flatMap(({ peers }) => peers.filter((peer) => peer.machineId === peerId));
  if (items.length > 0) return ok({ items });
  return err({
    code: "peer_not_found",
    detail: "the machine does not know this peer yet: it has not connected so far",
  });
}

export async function listEndpoints(
  services: Parts,
  machineId: MachineId,
): Promise<Result<{ items: ObservedEndpoint[] }, TelemetryFailure>> {
  const told = await readTelemetry(services, machineId);
  return told.ok ? ok({ items: told.value.flatMap(({ endpoints }) => endpoints) }) : told;
}

export async function readNetwork(
  services: Parts,
  machineId: MachineId,
): Promise<Result<{ report: NatReport | null }, TelemetryFailure>> {
  const told = await readTelemetry(services, machineId);
  if (!told.ok) return told;
  // It is the same machine in each mesh: the one that was heard last knows most.
  const [newest] = told.value.filter(({ nat }) => nat !== null).sort((one, other) => other.receivedAt - one.receivedAt);
  return ok({ report: newest?.nat ?? null });
}

/** Of each mesh that the machine answers in. */
export async function readTelemetry(
  services: Parts,
  machineId: MachineId,
  isWanted: (place: ListedMembership) => boolean = () => true,
): Promise<Result<MemberTelemetry[], TelemetryFailure>> {
  const ask = (mesh: MeshObjectRpc) => mesh.readTelemetry(machineId, { waitMs: WAIT_MS });
  const told = await askMeshes(services, { machineId, isWanted, waitMs: WAIT_MS, ask });
  return told.ok ? ok(told.value.map(({ value }) => value)) : told;
}

async function readSharedMeshes(
  { db }: Parts,
  machineId: MachineId,
  peerId: MachineId,
): Promise<Result<ReadonlySet<MeshId>, Failure<"machine_not_found" | "peer_not_found">>> {
  const [machine, own, peers] = await Promise.all([
    findMachine(db, machineId),
    listMembershipsOf(db, machineId),
    listMembershipsOf(db, peerId),
  ]);
  if (machine === null) return err({ code: "machine_not_found" });
  const ofPeer = new Set(peers.map(({ meshId }) => meshId));
  const shared = own.map(({ meshId }) => meshId).filter((meshId) => ofPeer.has(meshId));
  if (shared.length > 0 && machineId !== peerId) return ok(new Set(shared));
  return err({ code: "peer_not_found", detail: `the machine is in no mesh together with ${peerId}` });
}
