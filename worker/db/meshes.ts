import { asc, eq, gt, inArray, type SQL, sql } from "drizzle-orm";
import type { MeshId } from "#schema/ids";
import { hostCount, type Mesh } from "#schema/mesh";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { meshes } from "./tables.ts";

/** Its member count may lag the Mesh object's truth by an outbox delivery. */
export type MeshRecord = Readonly<
  Omit<typeof meshes.$inferSelect, "memberCountRevision" | "vipCountRevision" | "routingRevision">
>;

const columns = {
  id: meshes.id,
  name: meshes.name,
  cidr: meshes.cidr,
  cidr6: meshes.cidr6,
  asn: meshes.asn,
  isDefault: meshes.isDefault,
  createdAt: meshes.createdAt,
  memberCount: meshes.memberCount,
  fallback: meshes.fallback,
  vipCount: meshes.vipCount,
  routeReflectorMode: meshes.routeReflectorMode,
  gatewayCount: meshes.gatewayCount,
  keyRotationDays: meshes.keyRotationDays,
  importPolicySetId: meshes.importPolicySetId,
  exportPolicySetId: meshes.exportPolicySetId,
};

/** One row more than the limit when there is a next page. */
export async function listMeshRows(db: Database, { after, limit }: PageRequest<MeshId>): Promise<MeshRecord[]> {
  return db
    .select(columns)
    .from(meshes)
    .where(after === null ? undefined : gt(meshes.id, after))
    .orderBy(asc(meshes.id))
    .limit(limit + 1);
}

export async function findMesh(db: Database, id: MeshId): Promise<MeshRecord | null> {
  const [row] = await db.select(columns).from(meshes).where(eq(meshes.id, id));
  return row ?? null;
}

/** For batches too. */
export const selectMeshes = (db: Database) => db.select(columns).from(meshes);

/** Every mesh: for choosing an AS number, overlap warnings and the like. Meshes are few; machines are many. */
export async function listAllMeshes(db: Database): Promise<MeshRecord[]> {
  return selectMeshes(db);
}

export async function listMeshIds(db: Database): Promise<MeshId[]> {
  const rows = await db.select({ id: meshes.id }).from(meshes);
  return rows.map(({ id }) => id);
}

/** Those of the ids that exist. At most 32 ids (a token's): D1 takes 100 parameters. */
export async function findMeshes(db: Database, ids: readonly MeshId[]): Promise<MeshRecord[]> {
  if (ids.length === 0) return [];
  return db
    .select(columns)
    .from(meshes)
    .where(inArray(meshes.id, [...ids]));
}

export async function findDefaultMesh(db: Database): Promise<MeshRecord | null> {
  const [row] = await db.select(columns).from(meshes).where(eq(meshes.isDefault, true));
  return row ?? null;
}

export const insertMesh = (db: Database, mesh: MeshRecord): Statement => db.insert(meshes).values(mesh);

export const updateMeshColumns = (
  db: Database,
  id: MeshId,
  change: Partial<
    Pick<MeshRecord, "name" | "isDefault" | "fallback" | "keyRotationDays" | "importPolicySetId" | "exportPolicySetId">
  >,
): Statement => db.update(meshes).set(change).where(eq(meshes.id, id));

/** To be run before another mesh becomes the default, in the same batch. */
export const clearDefaultMesh = (db: Database): Statement =>
  db.update(meshes).set({ isDefault: false }).where(eq(meshes.isDefault, true));

export const deleteMeshRow = (db: Database, id: MeshId): Statement => db.delete(meshes).where(eq(meshes.id, id));

export const toMesh = ({ createdAt, vipCount, gatewayCount, ...mesh }: MeshRecord): Mesh => ({
  ...mesh,
  availableAddressCount: Math.max(0, hostCount(mesh.cidr) - mesh.memberCount - vipCount),
  createdAt: new Date(createdAt).toISOString(),
});

/** For `insertAuditEventIf`: whether the mesh is there at that point of the batch. */
export const hasMeshRow = (id: MeshId): SQL => sql`exists (select 1 from ${meshes} where ${meshes.id} = ${id})`;
