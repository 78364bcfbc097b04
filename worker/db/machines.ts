import { asc, eq, gt, type SQL, sql } from "drizzle-orm";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { AgentInfo } from "#schema/machine";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { machines, removedMachines } from "./tables.ts";

export type MachineRecord = Readonly<Omit<typeof machines.$inferSelect, "agent">> & {
  readonly agent: AgentInfo | null;
};

export type StoredIdentity =
  | { readonly status: "known"; readonly identityKey: IdentityPublicKey }
  | { readonly status: "unknown" }
  | { readonly status: "removed" };

/** One row more than the limit when there is a next page. */
export async function listMachineRows(
  db: Database,
  { after, limit }: PageRequest<MachineId>,
): Promise<MachineRecord[]> {
  const rows = await db
    .select()
    .from(machines)
    .where(after === null ? undefined : gt(machines.id, after))
    .orderBy(asc(machines.id))
    .limit(limit + 1);
  return rows.map(toMachineRecord);
}

export async function findMachine(db: Database, id: MachineId): Promise<MachineRecord | null> {
  const [row] = await db.select().from(machines).where(eq(machines.id, id));
  return row === undefined ? null : toMachineRecord(row);
}

export async function findIdentity(db: Database, id: MachineId): Promise<StoredIdentity> {
  const [row] = await db.select({ key: machines.identityKey }).from(machines).where(eq(machines.id, id));
  if (row !== undefined) return { status: "known", identityKey: row.key };
  const removed = await db.select({ id: removedMachines.id }).from(removedMachines).where(eq(removedMachines.id, id));
  return { status: removed.length > 0 ? "removed" : "unknown" };
}

export const renameMachineRow = (db: Database, id: MachineId, name: string): Statement =>
  db.update(machines).set({ name }).where(eq(machines.id, id));

export const deleteMachineRow = (db: Database, id: MachineId): Statement =>
  db.delete(machines).where(eq(machines.id, id));

/** Revokes the identity, for good. Safe to repeat. */
export const insertRemovedMachine = (
  db: Database,
  { id, identityKey }: Pick<MachineRecord, "id" | "identityKey">,
  removedAt: number,
): Statement => db.insert(removedMachines).values({ id, identityKey, removedAt }).onConflictDoNothing();

export const markEnrolled = (db: Database, id: MachineId, enrolledAt: number): Statement =>
  db.update(machines).set({ enrolledAt }).where(eq(machines.id, id));

export const toMachineRecord = (row: typeof machines.$inferSelect): MachineRecord => ({
  ...row,
  agent: row.agent === null ? null : AgentInfo.parse(JSON.parse(row.agent)),
});

/** For `insertAuditEventIf`: whether the machine is there at that point of the batch. */
export const hasMachineRow = (id: MachineId): SQL =>
  sql`exists (select 1 from ${machines} where ${machines.id} = ${id})`;
