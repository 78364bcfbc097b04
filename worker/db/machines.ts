import { and, asc, eq, gt, inArray, type SQL, sql } from "drizzle-orm";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { AgentInfo } from "#schema/machine";
import { Tags } from "#schema/tag";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { type ListedMembership, selectMemberships } from "./memberships.ts";
import { machines, memberships, removedMachines } from "./tables.ts";

export type MachineRecord = Readonly<Omit<typeof machines.$inferSelect, "agent" | "tags">> & {
  readonly agent: AgentInfo | null;
  readonly tags: readonly string[];
};

export type StoredIdentity =
  | {
      readonly status: "known";
      readonly identityKey: IdentityPublicKey;
      /** Null: since the machine was created. */
      readonly since: number | null;
      readonly formerKey: IdentityPublicKey | null;
    }
  | { readonly status: "unknown" }
  | { readonly status: "removed" };

export interface MachinePage {
  /** One more than the limit when there is a next page. */
  readonly machines: readonly MachineRecord[];
  readonly memberships: readonly ListedMembership[];
}

/** A page of machines, all or those with a tag, and where they are, in one round trip. */
export function readMachinePage(
  db: Database,
  { after, limit, tag }: PageRequest<MachineId> & { readonly tag?: string | undefined },
): Promise<MachinePage> {
  const condition = and(
    after === null ? undefined : gt(machines.id, after),
    tag === undefined ? undefined : sql`exists (select 1 from json_each(${machines.tags}) where value = ${tag})`,
  );
  return readMachines(db, condition, limit + 1);
}

export async function readMachineWithMeshes(db: Database, id: MachineId): Promise<MachinePage> {
  return readMachines(db, eq(machines.id, id), 1);
}

async function readMachines(db: Database, condition: SQL | undefined, limit: number): Promise<MachinePage> {
  const ids = db.select({ id: machines.id }).from(machines).where(condition).orderBy(asc(machines.id)).limit(limit);
  const [rows, places] = await db.batch([
    db.select().from(machines).where(condition).orderBy(asc(machines.id)).limit(limit),
    selectMemberships(db, inArray(memberships.machineId, ids)),
  ]);
  return { machines: rows.map(createToMachineRecord()), memberships: places };
}

export async function findMachine(db: Database, id: MachineId): Promise<MachineRecord | null> {
  const [row] = await db.select().from(machines).where(eq(machines.id, id));
  return row === undefined ? null : toMachineRecord(row);
}

export async function findIdentity(db: Database, id: MachineId): Promise<StoredIdentity> {
  const [row] = await db
    .select({
      identityKey: machines.identityKey,
      since: machines.identityKeySince,
      formerKey: machines.formerIdentityKey,
    })
    .from(machines)
    .where(eq(machines.id, id));
  if (row !== undefined) return { status: "known", ...row };
  const removed = await db.select({ id: removedMachines.id }).from(removedMachines).where(eq(removedMachines.id, id));
  return { status: removed.length > 0 ? "removed" : "unknown" };
}

export const updateMachineRow = (
  db: Database,
  id: MachineId,
  {
    tags,
    ...change
  }: Partial<Pick<MachineRecord, "name" | "isGateway" | "importPolicySetId" | "exportPolicySetId" | "tags">>,
): Statement =>
  db
    .update(machines)
    .set({ ...change, ...(tags === undefined ? {} : { tags: renderTags(tags) }) })
    .where(eq(machines.id, id));

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

export const toMachineRecord = (row: typeof machines.$inferSelect): MachineRecord => createToMachineRecord()(row);

/** Of many rows: most machines of an installation have the same agent on the same system, and each text is parsed once. */
function createToMachineRecord(): (row: typeof machines.$inferSelect) => MachineRecord {
  const parsed = new Map<string, AgentInfo>();
  return (row) => {
    const tags = parseTags(row.tags);
    if (row.agent === null) return { ...row, tags, agent: null };
    const agent = parsed.get(row.agent) ?? AgentInfo.parse(JSON.parse(row.agent));
    parsed.set(row.agent, agent);
    return { ...row, tags, agent };
  };
}

export const parseTags = (text: string): string[] => (text === "[]" ? [] : Tags.parse(JSON.parse(text)));
export const renderTags = (tags: readonly string[]): string => JSON.stringify(tags);

/** For `insertAuditEventIf`: whether the machine is there at that point of the batch. */
export const hasMachineRow = (id: MachineId): SQL =>
  sql`exists (select 1 from ${machines} where ${machines.id} = ${id})`;
