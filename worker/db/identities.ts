// The replacement of a machine's identity key: what it is judged by, and its one transaction.
import { and, eq, sql } from "drizzle-orm";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { insertAuditEventIf, type NewAuditEvent } from "./audit-events.ts";
import type { Database } from "./database.ts";
import { type MachineRecord, toMachineRecord } from "./machines.ts";
import { auditEvents, machines, removedMachines } from "./tables.ts";

export interface ReplacementFacts {
  readonly machine: MachineRecord | null;
  /** Another machine has this key, or one that was removed had it. */
  readonly isTaken: boolean;
}

export async function readReplacementFacts(
  db: Database,
  { machineId, identityKey }: { readonly machineId: MachineId; readonly identityKey: IdentityPublicKey },
): Promise<ReplacementFacts> {
  const [[machine], holders, removed] = await db.batch([
    db.select().from(machines).where(eq(machines.id, machineId)),
    db.select({ id: machines.id }).from(machines).where(eq(machines.identityKey, identityKey)),
    db.select({ id: removedMachines.id }).from(removedMachines).where(eq(removedMachines.identityKey, identityKey)),
  ]);
  return {
    machine: machine === undefined ? null : toMachineRecord(machine),
    isTaken: removed.length > 0 || holders.some(({ id }) => id !== machineId),
  };
}

/**
 * False, and nothing is changed, when the machine has another key by now. Throws a UNIQUE violation when another machine has the new one.
 * @param event its id must be new: it marks this attempt
 */
export async function replaceIdentityKeyRow(
  db: Database,
  change: {
    readonly machineId: MachineId;
    readonly from: IdentityPublicKey;
    readonly to: IdentityPublicKey;
    /** What is taken for a while besides the new one. */
    readonly former: IdentityPublicKey | null;
  },
  event: NewAuditEvent,
): Promise<boolean> {
  const { machineId, from, to, former } = change;
  const isStill = and(eq(machines.id, machineId), eq(machines.identityKey, from));
  const [, , marks] = await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from ${machines} where ${isStill})`),
    db.update(machines).set({ identityKey: to, formerIdentityKey: former, identityKeySince: event.at }).where(isStill),
    db.select({ id: auditEvents.id }).from(auditEvents).where(eq(auditEvents.id, event.id)),
  ]);
  return marks.length > 0;
}
