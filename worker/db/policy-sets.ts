import { asc, eq, gt, inArray, or, type SQL, sql } from "drizzle-orm";
import type { MachineId, MeshId, PolicySetId } from "#schema/ids";
import { NamedPolicyRules, NO_POLICIES, type Policies, type PolicySet, toPolicyRules } from "#schema/policy";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { machines, memberships, meshes, policySets } from "./tables.ts";

export type PolicySetRecord = Omit<PolicySet, "createdAt"> & { readonly createdAt: number };

/** One row more than the limit when there is a next page. */
export async function listPolicySetRows(
  db: Database,
  { after, limit }: PageRequest<PolicySetId>,
): Promise<PolicySetRecord[]> {
  const rows = await db
    .select()
    .from(policySets)
    .where(after === null ? undefined : gt(policySets.id, after))
    .orderBy(asc(policySets.id))
    .limit(limit + 1);
  return rows.map(toPolicySetRecord);
}

export async function findPolicySet(db: Database, id: PolicySetId): Promise<PolicySetRecord | null> {
  const [row] = await db.select().from(policySets).where(eq(policySets.id, id));
  return row === undefined ? null : toPolicySetRecord(row);
}

/** Those of the ids that exist. */
export async function findPolicySetIds(db: Database, ids: readonly PolicySetId[]): Promise<PolicySetId[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({ id: policySets.id })
    .from(policySets)
    .where(inArray(policySets.id, [...ids]));
  return rows.map(({ id }) => id);
}

export const insertPolicySet = (db: Database, set: PolicySetRecord): Statement =>
  db.insert(policySets).values({ ...set, rules: JSON.stringify(set.rules) });

export const updatePolicySetRow = (
  db: Database,
  id: PolicySetId,
  { rules, ...change }: Partial<Omit<PolicySetRecord, "id" | "createdAt">>,
): Statement =>
  db
    .update(policySets)
    .set({ ...change, ...(rules === undefined ? {} : { rules: JSON.stringify(rules) }) })
    .where(eq(policySets.id, id));

/** Fails while something uses it. */
export const deletePolicySetRow = (db: Database, id: PolicySetId): Statement =>
  db.delete(policySets).where(eq(policySets.id, id));

/** For `insertAuditEventIf`: whether the set is there at that point of the batch. */
export const hasPolicySetRow = (id: PolicySetId): SQL =>
  sql`exists (select 1 from ${policySets} where ${policySets.id} = ${id})`;

/** The meshes whose members a set concerns: those that use it, and those that a machine is in that uses it. */
export async function listMeshesWithPolicySet(db: Database, id: PolicySetId): Promise<MeshId[]> {
  const users = db.select({ id: machines.id }).from(machines).where(usesSet(machines, id));
  const [ofMeshes, ofMachines] = await db.batch([
    db.select({ meshId: meshes.id }).from(meshes).where(usesSet(meshes, id)),
    db.selectDistinct({ meshId: memberships.meshId }).from(memberships).where(inArray(memberships.machineId, users)),
  ]);
  return [...new Set([...ofMeshes, ...ofMachines].map(({ meshId }) => meshId))];
}

/** The names of some that use it. */
export async function listPolicySetUsers(
  db: Database,
  id: PolicySetId,
  limit: number,
): Promise<{ readonly meshes: string[]; readonly machines: string[] }> {
  const [ofMeshes, ofMachines] = await db.batch([
    db.select({ name: meshes.name }).from(meshes).where(usesSet(meshes, id)).limit(limit),
    db.select({ name: machines.name }).from(machines).where(usesSet(machines, id)).limit(limit),
  ]);
  return { meshes: ofMeshes.map(({ name }) => name), machines: ofMachines.map(({ name }) => name) };
}

const usesSet = (table: typeof meshes | typeof machines, id: PolicySetId): SQL | undefined =>
  or(eq(table.importPolicySetId, id), eq(table.exportPolicySetId, id));

export interface MeshPolicies {
  readonly mesh: Policies;
  /** Only machines that use a set. They need not be members of the mesh. */
  readonly machines: ReadonlyMap<MachineId, Policies>;
}

/** What a mesh and all machines use, in one read: no part of it is older than another. */
export async function readPolicies(db: Database, meshId: MeshId): Promise<MeshPolicies> {
  const used = { importId: meshes.importPolicySetId, exportId: meshes.exportPolicySetId };
  // Each member that joins has its mesh read this. SQLite takes the indexes of machines that use a set for "> ''", and scans all for "is not null or".
  const usedSets = sql`(select import_policy_set_id from machines where import_policy_set_id > ''
    union select export_policy_set_id from machines where export_policy_set_id > ''
    union select import_policy_set_id from meshes where id = ${meshId}
    union select export_policy_set_id from meshes where id = ${meshId})`;
  const [ofMesh, ofMachines, sets] = await db.batch([
    db.select(used).from(meshes).where(eq(meshes.id, meshId)),
    db
      .select({ id: machines.id, importId: machines.importPolicySetId, exportId: machines.exportPolicySetId })
      .from(machines)
      .where(sql`${machines.importPolicySetId} > '' or ${machines.exportPolicySetId} > ''`),
    db.select().from(policySets).where(sql`${policySets.id} in ${usedSets}`),
  ]);
  const rules = new Map(sets.map((row) => [row.id, toPolicyRules(toPolicySetRecord(row))]));
  const ruleOf = (id: PolicySetId | null) => (id === null ? null : (rules.get(id) ?? null));
  const toPolicies = ({ importId, exportId }: { importId: PolicySetId | null; exportId: PolicySetId | null }) => ({
    import: ruleOf(importId),
    export: ruleOf(exportId),
  });
  return {
    mesh: ofMesh[0] === undefined ? NO_POLICIES : toPolicies(ofMesh[0]),
    machines: new Map(ofMachines.map((row) => [row.id, toPolicies(row)])),
  };
}

const toPolicySetRecord = ({ rules, ...row }: typeof policySets.$inferSelect): PolicySetRecord => ({
  ...row,
  rules: NamedPolicyRules.parse(JSON.parse(rules)),
});

export const toPolicySet = ({ createdAt, ...set }: PolicySetRecord): PolicySet => ({
  ...set,
  createdAt: new Date(createdAt).toISOString(),
});
