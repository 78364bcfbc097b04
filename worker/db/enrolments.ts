// What an enrolment is judged by, read in one round trip, and its one transaction. The transaction's statements ask for themselves whether the token still has a use left, so that of two
// machines racing for the last use exactly one gets in. The audit event of this attempt is the mark that it got in.
import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { IdentityPublicKey, JoinTokenId, MachineId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import { insertAuditEventIf, type NewAuditEvent } from "./audit-events.ts";
import type { Database, Statement } from "./database.ts";
import { type JoinTokenRecord, toJoinTokenRecord } from "./join-tokens.ts";
import { type MachineRecord, renderTags, toMachineRecord } from "./machines.ts";
import { auditEvents, joinTokens, machines, removedMachines } from "./tables.ts";

export interface AdmissionFacts {
  readonly joinToken: JoinTokenRecord | null;
  /** The machine that has this identity key already. */
  readonly known: MachineRecord | null;
  readonly isIdentityRemoved: boolean;
  /** Those of the wanted names that machines have. */
  readonly takenNames: ReadonlySet<string>;
}

export async function readAdmissionFacts(
  db: Database,
  request: {
    readonly tokenHash: string;
    readonly identityKey: IdentityPublicKey;
    readonly wantedNames: readonly string[];
  },
): Promise<AdmissionFacts> {
  const { tokenHash, identityKey, wantedNames } = request;
  const [[joinToken], [known], removed, names] = await db.batch([
    db.select().from(joinTokens).where(eq(joinTokens.tokenHash, tokenHash)),
    db.select().from(machines).where(eq(machines.identityKey, identityKey)),
    db.select({ id: removedMachines.id }).from(removedMachines).where(eq(removedMachines.identityKey, identityKey)),
    db
      .select({ name: machines.name })
      .from(machines)
      .where(inArray(machines.name, [...wantedNames])),
  ]);
  return {
    joinToken: joinToken === undefined ? null : toJoinTokenRecord(joinToken),
    known: known === undefined ? null : toMachineRecord(known),
    isIdentityRemoved: removed.length > 0,
    takenNames: new Set(names.map(({ name }) => name)),
  };
}

export interface EnrollingMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly identityKey: IdentityPublicKey;
  readonly agent: AgentInfo;
  readonly joinTokenId: JoinTokenId;
  /** Of a new machine. */
  readonly tags: readonly string[];
  /** Milliseconds since the epoch; the token is judged at this time. */
  readonly now: number;
}

/**
 * Inserts the machine and uses the token up by one; false, and nothing is changed, when the token is not usable any more.
 * Throws a UNIQUE violation when the name or the identity key is taken.
 * @param event its id must be new: it marks this attempt
 */
export function insertEnrolment(db: Database, machine: EnrollingMachine, event: NewAuditEvent): Promise<boolean> {
  // In the order of the table's columns.
  const insert = db.insert(machines).select(sql`
    select ${machine.id}, ${machine.name}, ${machine.identityKey}, ${JSON.stringify(machine.agent)},
      ${machine.joinTokenId}, null, ${machine.now}, 0, null, null, ${renderTags(machine.tags)}, null, null
    where ${isMarked(event)}`);
  return runMarked(db, machine, event, insert);
}

/** A machine that is known already comes with another token: uses that one up by one too, and opens its enrolment again. */
export function reopenEnrolment(db: Database, machine: EnrollingMachine, event: NewAuditEvent): Promise<boolean> {
  const update = db
    .update(machines)
    .set({ joinTokenId: machine.joinTokenId, enrolledAt: null, agent: JSON.stringify(machine.agent) })
    .where(and(eq(machines.id, machine.id), isMarked(event)));
  return runMarked(db, machine, event, update);
}

async function runMarked(
  db: Database,
  { joinTokenId, now }: EnrollingMachine,
  event: NewAuditEvent,
  change: Statement,
): Promise<boolean> {
  const [, , , marks] = await db.batch([
    insertAuditEventIf(db, event, isUsable(joinTokenId, now)),
    change,
    db
      .update(joinTokens)
      .set({ uses: sql`${joinTokens.uses} + 1` })
      .where(and(eq(joinTokens.id, joinTokenId), isMarked(event))),
    db.select({ id: auditEvents.id }).from(auditEvents).where(eq(auditEvents.id, event.id)),
  ]);
  return marks.length > 0;
}

const isMarked = (event: NewAuditEvent): SQL =>
  sql`exists (select 1 from ${auditEvents} where ${auditEvents.id} = ${event.id})`;

const isUsable = (id: JoinTokenId, now: number): SQL => sql`exists (
  select 1 from ${joinTokens}
  where ${joinTokens.id} = ${id} and revoked_at is null and expires_at > ${now} and (max_uses is null or uses < max_uses))`;
