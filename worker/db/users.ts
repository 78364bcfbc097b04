import { and, asc, eq, gt, not, or, type SQL, sql } from "drizzle-orm";
import type { Role } from "#schema/api/operation";
import type { UserId } from "#schema/ids";
import type { PageRequest } from "../page.ts";
import { insertAuditEventIf, type NewAuditEvent } from "./audit-events.ts";
import type { Database, Statement } from "./database.ts";
import { loginLinks, sessions, users } from "./tables.ts";

export type UserRecord = Readonly<typeof users.$inferSelect>;
export type NewUser = Readonly<Omit<UserRecord, "role" | "isBlocked" | "lastSignInAt">>;

/** One row more than the limit when there is a next page. */
export async function listUserRows(db: Database, { after, limit }: PageRequest<UserId>): Promise<UserRecord[]> {
  return db
    .select()
    .from(users)
    .where(after === null ? undefined : gt(users.id, after))
    .orderBy(asc(users.id))
    .limit(limit + 1);
}

export async function findUser(db: Database, id: UserId): Promise<UserRecord | null> {
  const [row] = await db.select().from(users).where(eq(users.id, id));
  return row ?? null;
}

export interface UserIdentity {
  readonly issuer: string;
  readonly subject: string;
}

export async function findUserByIdentity(db: Database, identity: UserIdentity): Promise<UserRecord | null> {
  const [row] = await db.select().from(users).where(hasIdentity(identity));
  return row ?? null;
}

/**
 * Writes the user, unless one with this identity is there, and answers the one that is there then. A user who `mayBeFirstOwner` becomes
 * owner when there is none: decided in the database, so that of two who come first one is the owner. `events` has one event for each role
 * that may come of it, and the right one is written.
 */
export async function insertUser(
  db: Database,
  user: NewUser,
  { role, mayBeFirstOwner, events }: { role: Role; mayBeFirstOwner: boolean; events: ReadonlyMap<Role, NewAuditEvent> },
): Promise<UserRecord> {
  const { id, issuer, subject, name, email, createdAt } = user;
  const first = sql`case when ${mayBeFirstOwner ? 1 : 0} and not exists (select 1 from users where role = 'owner') then 'owner' else ${role} end`;
  const insert = db
    .insert(users)
    .select(
      // In the order of the table's columns. Without "where true" SQLite reads the conflict clause as a join's.
      sql`select ${id}, ${issuer}, ${subject}, ${name}, ${email}, ${first}, 0, ${createdAt}, null where true`,
    )
    .onConflictDoNothing();
  const isNew = (as: Role) => sql`exists (select 1 from users where id = ${id} and role = ${as})`;
  const writeEvents = [...events].map(([as, event]) => insertAuditEventIf(db, event, isNew(as)));
  const select = db.select().from(users).where(hasIdentity(user));
  const results = await db.batch([insert, ...writeEvents, select]);
  const [row] = results.at(-1) as unknown as UserRecord[];
  if (row === undefined) throw new Error("a user that was written is not there");
  return row;
}

/** Makes the user owner and writes the event, where there is no owner; answers the user as it is then. */
export async function promoteFirstOwner(db: Database, id: UserId, event: NewAuditEvent): Promise<UserRecord | null> {
  const mayBe = and(eq(users.id, id), sql`not exists (select 1 from users as other where other.role = 'owner')`);
  const [, , rows] = await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from ${users} where ${mayBe})`),
    db.update(users).set({ role: "owner" }).where(mayBe),
    db.select().from(users).where(eq(users.id, id)),
  ]);
  return rows[0] ?? null;
}

/**
 * Changes the user, ends what a blocked user has, and writes the event. Null, and nothing is changed, when an owner who is not blocked would no
 * longer be left, or the user is gone. All in one transaction, so that of two owners who demote each other one stays.
 */
export async function updateUserRow(
  db: Database,
  id: UserId,
  { role, isBlocked, event }: { role: Role; isBlocked: boolean; event: NewAuditEvent },
): Promise<UserRecord | null> {
  const staysOwner = role === "owner" && !isBlocked;
  const mayChange = staysOwner ? eq(users.id, id) : isDispensable(id);
  const results = await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from ${users} where ${mayChange})`),
    db.update(users).set({ role, isBlocked }).where(mayChange),
    ...endAccess(db, id, sql`exists (select 1 from users where id = ${id} and is_blocked = 1)`),
    db.select().from(users).where(eq(users.id, id)),
  ]);
  const [row] = results.at(-1) as unknown as UserRecord[];
  return row !== undefined && row.role === role && row.isBlocked === isBlocked ? row : null;
}

/** Deletes the user with sessions and links; false, and nothing is changed, when that is the last owner who is not blocked. */
export async function deleteUser(db: Database, id: UserId, event: NewAuditEvent): Promise<boolean> {
  const mayGo = isDispensable(id);
  const results = await db.batch([
    insertAuditEventIf(db, event, sql`exists (select 1 from ${users} where ${mayGo})`),
    db.delete(users).where(mayGo),
    ...endAccess(db, id, sql`not exists (select 1 from users where id = ${id})`),
    db.select({ id: users.id }).from(users).where(eq(users.id, id)),
  ]);
  return (results.at(-1) as unknown as unknown[]).length === 0;
}

/** What a sign-in tells of the user. */
export const noteSignIn = (
  db: Database,
  id: UserId,
  { name, email, at }: { name?: string; email?: string | null; at: number },
): Statement =>
  db
    .update(users)
    .set({ lastSignInAt: at, ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) })
    .where(eq(users.id, id));

const endAccess = (db: Database, id: UserId, condition: SQL): [Statement, Statement] => [
  db.delete(sessions).where(and(eq(sessions.userId, id), condition)),
  db.delete(loginLinks).where(and(eq(loginLinks.userId, id), condition)),
];

const isDispensable = (id: UserId): SQL | undefined => and(eq(users.id, id), or(not(isGoodOwner), hasOtherOwner(id)));
const isGoodOwner = sql`(${users.role} = 'owner' and ${users.isBlocked} = 0)`;
const hasOtherOwner = (id: UserId): SQL =>
  sql`exists (select 1 from users as other where other.id <> ${id} and other.role = 'owner' and other.is_blocked = 0)`;

const hasIdentity = ({ issuer, subject }: UserIdentity) => and(eq(users.issuer, issuer), eq(users.subject, subject));
