import { isOverlapping } from "#schema/address";
import type { CreatedMesh, CreateMesh } from "#schema/api/meshes";
import type { MeshId } from "#schema/ids";
import { NO_POLICIES } from "#schema/policy";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import { clearDefaultMesh, findMesh, insertMesh, listAllMeshes, type MeshRecord, toMesh } from "../db/meshes.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import { toErrorFields } from "../log.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { allocateAsn } from "./allocate-asn.ts";
import { createUla, ULA_RANDOM_BYTES } from "./create-ula.ts";

type CreateMeshFailure = Failure<"name_taken" | "asn_taken" | "gateway_required">;

/** Creates at once may choose the same AS number; the later ones choose again, among twice, four times … as many. */
const MAX_ATTEMPTS = 8;

export async function createMesh(
  services: Services,
  request: CreateMesh,
  cause: Cause,
): Promise<Result<CreatedMesh, CreateMeshFailure>> {
  if (request.routeReflectorMode) {
    const message = "a new mesh has no gateway: create it without, add a gateway, then set it to true";
    return err(fieldFailure("gateway_required", "routeReflectorMode", message));
  }
  for (let attempt = 1; ; attempt++) {
    const existing = await listAllMeshes(services.db);
    const refusal = findConflict(request, existing);
    if (refusal !== null) return err(refusal);
    const mesh: MeshRecord = {
      id: services.ids.mesh(),
      name: request.name,
      cidr: request.cidr,
      cidr6: createUla(services.random(ULA_RANDOM_BYTES)),
      asn:
        request.asn ??
        allocateAsn(
          existing.map(({ asn }) => asn),
          chooseSkip(services.random, attempt),
        ),
      isDefault: request.isDefault,
      fallback: request.fallback,
      routeReflectorMode: false,
      keyRotationDays: request.keyRotationDays,
      createdAt: services.now(),
      memberCount: 0,
      vipCount: 0,
      gatewayCount: 0,
      importPolicySetId: null,
      exportPolicySetId: null,
    };
    const violated = await storeMesh(services, mesh, cause);
    if (violated === null) return ok({ ...toMesh(mesh), warnings: warnOf(mesh, existing) });
    if (attempt === MAX_ATTEMPTS) throw new Error(`no mesh could be created, the last conflict was on ${violated}`);
  }
}

/**
 * The object comes first: a mesh that is listed always works. It is closed again only when the row is refused for certain: an object
 * without a row is empty and unreachable, but a row without its object is a mesh that never works.
 */
async function storeMesh(services: Services, mesh: MeshRecord, cause: Cause): Promise<string | null> {
  const { db, objects } = services;
  const { id, name, cidr, cidr6, asn, fallback, routeReflectorMode, keyRotationDays } = mesh;
  const settings = { id, name, cidr, cidr6, asn, fallback, routeReflectorMode, keyRotationDays, policies: NO_POLICIES };
  await objects.mesh(id).initialise(settings);
  const event = createAuditEvent(services, cause, {
    action: "mesh.created",
    subjectId: id,
    meshId: id,
    details: {
      ...{ name, cidr, cidr6, asn, fallback, isDefault: mesh.isDefault },
      ...(keyRotationDays === null ? {} : { keyRotationDays }),
    },
  });
  try {
    await runBatch(db, [
      ...(mesh.isDefault ? [clearDefaultMesh(db)] : []),
      insertMesh(db, mesh),
      insertAuditEvent(db, event),
    ]);
    return null;
  } catch (error) {
    if (await isStored(services, id)) return null;
    const violated = parseUniqueViolation(error);
    if (violated === null) throw error;
    await objects.mesh(id).close();
    return violated;
  }
}

/** Whether a batch that failed was committed all the same: D1 may lose the answer and not the change. False also when nobody can tell. */
async function isStored({ db, log }: Services, id: MeshId): Promise<boolean> {
  try {
    return (await findMesh(db, id)) !== null;
  } catch (error) {
    log.warn("whether a mesh was created is not known", { meshId: id, ...toErrorFields(error) });
    return false;
  }
}

/** 0 at the first attempt, then at random below 4, 8, 16 … */
function chooseSkip(random: Services["random"], attempt: number): number {
  const [byte = 0] = random(1);
  return attempt === 1 ? 0 : byte % 2 ** attempt;
}

function findConflict(request: CreateMesh, existing: readonly MeshRecord[]): CreateMeshFailure | null {
  if (existing.some(({ name }) => name === request.name)) {
    return fieldFailure("name_taken", "name", `there is a mesh named ${request.name} already`);
  }
  const holder = existing.find(({ asn }) => asn === request.asn);
  return holder === undefined ? null : fieldFailure("asn_taken", "asn", `the mesh ${holder.name} has this AS number`);
}

function warnOf(mesh: MeshRecord, existing: readonly MeshRecord[]): CreatedMesh["warnings"] {
  return existing
    .filter(({ cidr }) => isOverlapping(cidr, mesh.cidr))
    .map(({ id, name, cidr }) => ({
      code: "cidr_overlap" as const,
      meshId: id,
      message: `${mesh.cidr} overlaps ${cidr} of the mesh ${name}: no machine can be in both`,
    }));
}
