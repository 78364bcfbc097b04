// POST /agent/v1/enrolments: the proof, the admission, then everything that can be repeated: the Machine object and its meshes.
import { err, ok, type Result } from "#schema/result";
import type { EnrolmentReply, EnrolmentRequest } from "#schema/wire/enrolment";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { markEnrolled } from "../db/machines.ts";
import { listMembershipsOf } from "../db/memberships.ts";
import { findDefaultMesh, findMeshes, type MeshRecord } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { type Admission, type AdmissionFailure, admitMachine, toJoinTokenActor } from "./admit-machine.ts";
import { isProofValid } from "./verify-proof.ts";

type EnrolmentFailure = AdmissionFailure | Failure<"signature_invalid">;
type JoinedMesh = EnrolmentReply["meshes"][number];

interface Joins {
  readonly meshes: readonly JoinedMesh[];
  /** Meshes that could not be joined, and why: a full mesh keeps no machine out of the others. */
  readonly leftOut: readonly { readonly meshId: string; readonly code: string }[];
}

export async function enrolMachine(
  services: Services,
  request: EnrolmentRequest,
  requestId: string,
): Promise<Result<EnrolmentReply & { readonly isNew: boolean }, EnrolmentFailure>> {
  if (!(await isProofValid(request))) return err({ code: "signature_invalid" });
  const admitted = await admitMachine(services, request, requestId);
  if (!admitted.ok) return admitted;
  const { machineId, name, isFinished } = admitted.value;
  if (isFinished) return ok({ machineId, name, meshes: await readMeshes(services, admitted.value), isNew: false });

  const { identityKey, agent } = request;
  const registered = await services.objects.machine(machineId).register({ machineId, name, identityKey, agent });
  if (!registered.ok) return registered;
  const cause = { actor: toJoinTokenActor(admitted.value.joinToken), requestId };
  const joins = await joinMeshes(services, admitted.value, cause);
  if (joins.leftOut.some(({ code }) => code === "machine_removed")) return err({ code: "machine_removed" });
  await finish(services, { machineId, joins, cause });
  return ok({ machineId, name, meshes: [...joins.meshes], isNew: true });
}

/** One after the other: the Machine object decides on overlaps, so the order of the token's meshes decides who wins. */
async function joinMeshes(services: Services, { machineId, joinToken }: Admission, cause: Cause): Promise<Joins> {
  const meshes: JoinedMesh[] = [];
  const leftOut: { meshId: string; code: string }[] = [];
  for (const { id: meshId, cidr } of await listTargets(services, joinToken.meshIds)) {
    const joined = await services.objects.machine(machineId).joinMesh({ meshId, cidr, address: null, cause });
    if (joined.ok) meshes.push({ meshId, name: joined.value.meshName });
    else leftOut.push({ meshId, code: joined.error.code });
  }
  return { meshes, leftOut };
}

/** The token's meshes that still exist, else the default mesh if there is one. */
async function listTargets({ db }: Services, meshIds: Admission["joinToken"]["meshIds"]): Promise<MeshRecord[]> {
  if (meshIds === null) {
    const mesh = await findDefaultMesh(db);
    return mesh === null ? [] : [mesh];
  }
  const meshes = await findMeshes(db, meshIds);
  return meshIds.flatMap((id) => meshes.filter((mesh) => mesh.id === id));
}

async function finish(
  services: Services,
  { machineId, joins, cause }: { machineId: Admission["machineId"]; joins: Joins; cause: Cause },
): Promise<void> {
  const { db, log, now } = services;
  const statements = [markEnrolled(db, machineId, now())];
  if (joins.leftOut.length > 0) {
    log.warn("a machine enrolled without some of its meshes", { machineId, leftOut: joins.leftOut });
    const details = { notJoined: joins.leftOut };
    const event = createAuditEvent(services, cause, { action: "machine.updated", subjectId: machineId, details });
    statements.push(insertAuditEvent(db, event));
  }
  await runBatch(db, statements);
}

async function readMeshes({ db }: Services, { machineId }: Admission): Promise<JoinedMesh[]> {
  const memberships = await listMembershipsOf(db, machineId);
  return memberships.map(({ meshId, meshName }) => ({ meshId, name: meshName }));
}
