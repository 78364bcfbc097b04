// Roll-outs and their machines. Each statement below looks at the state that it changes: Machine objects, people and retries come at the same time.
import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { MachineId, RolloutId } from "#schema/ids";
import type { AgentInfo, BuildSha256 } from "#schema/machine";
import { KEPT_ROLLOUTS, type RolloutMachineState, type SkipReason } from "#schema/rollout";
import type { PageRequest } from "../page.ts";
import type { Database, Statement } from "./database.ts";
import { toMachineRecord } from "./machines.ts";
import { machines, rolloutMachines, rollouts } from "./tables.ts";

export type RolloutRecord = Readonly<typeof rollouts.$inferSelect>;
export type RolloutMachineRecord = Readonly<typeof rolloutMachines.$inferSelect>;
export type RolloutCounts = Readonly<Partial<Record<RolloutMachineState, number>>>;

export async function findRollout(db: Database, id: RolloutId): Promise<RolloutRecord | null> {
  const [row] = await db.select().from(rollouts).where(eq(rollouts.id, id));
  return row ?? null;
}

export async function findOpenRollout(db: Database): Promise<RolloutRecord | null> {
  const [row] = await db.select().from(rollouts).where(eq(rollouts.isOpen, true));
  return row ?? null;
}

/** Newest first; one more than the limit when there is a next page. */
export const listRolloutRows = (db: Database, { after, limit }: PageRequest<RolloutId>): Promise<RolloutRecord[]> =>
  db
    .select()
    .from(rollouts)
    .where(after === null ? undefined : lt(rollouts.id, after))
    .orderBy(desc(rollouts.id))
    .limit(limit + 1);

/** How many machines of each roll-out are in each state. */
export async function countRolloutMachines(
  db: Database,
  ids: readonly RolloutId[],
): Promise<ReadonlyMap<RolloutId, RolloutCounts>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: rolloutMachines.rolloutId, state: rolloutMachines.state, count: sql<number>`count(*)` })
    .from(rolloutMachines)
    .where(inArray(rolloutMachines.rolloutId, [...ids]))
    .groupBy(rolloutMachines.rolloutId, rolloutMachines.state);
  return new Map(
    [...Map.groupBy(rows, ({ id }) => id)].map(([id, counts]) => [
      id,
      Object.fromEntries(counts.map(({ state, count }) => [state, count])),
    ]),
  );
}

/** By id; one more than the limit when there is a next page. */
export const listRolloutMachineRows = (
  db: Database,
  rolloutId: RolloutId,
  { after, limit }: PageRequest<MachineId>,
): Promise<RolloutMachineRecord[]> =>
  db
    .select()
    .from(rolloutMachines)
    .where(
      and(eq(rolloutMachines.rolloutId, rolloutId), after === null ? undefined : gt(rolloutMachines.machineId, after)),
    )
    .orderBy(asc(rolloutMachines.machineId))
    .limit(limit + 1);

export interface UpgradableMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly agent: AgentInfo | null;
}

/** Those with these ids, or all. */
export async function listUpgradable(db: Database, ids: readonly MachineId[] | null): Promise<UpgradableMachine[]> {
  const condition =
    ids === null ? undefined : sql`${machines.id} in (select value from json_each(${JSON.stringify(ids)}))`;
  const rows = await db.select().from(machines).where(condition).orderBy(asc(machines.id));
  return rows.map(toMachineRecord).map(({ id, name, agent }) => ({ id, name, agent }));
}

/** Fails with a unique violation of `rollouts.is_open` when there is one that has not ended. */
export const insertRollout = (db: Database, record: RolloutRecord): Statement => db.insert(rollouts).values(record);

/** Machines in one statement: their rows are one value, of which D1 takes 2 MB. */
const MAX_INSERTED = 1_000;

export const insertRolloutMachines = (db: Database, rows: readonly RolloutMachineRecord[]): Statement[] =>
  Array.from({ length: Math.ceil(rows.length / MAX_INSERTED) }, (_, chunk) =>
    rows.slice(chunk * MAX_INSERTED, (chunk + 1) * MAX_INSERTED),
  ).map((chunk) =>
    // In the order of the table's columns.
    db.insert(rolloutMachines).select(
      sql`select value ->> 'rolloutId', value ->> 'machineId', value ->> 'name', value ->> 'state', value ->> 'isAway',
          value ->> 'detail', value ->> 'at' from json_each(${JSON.stringify(chunk)}) where true`,
    ),
  );

/** At most, by one start: it adds one, so there get fewer where there were many, and deletes no more rows than two starts have written. */
const MAX_FORGOTTEN = 2;

/** For the batch that starts another one. */
export function forgetEndedRollouts(db: Database): Statement[] {
  const forgotten = sql`(select id from
    (select id from ${rollouts} where is_open = 0 order by id desc limit -1 offset ${KEPT_ROLLOUTS})
    order by id limit ${MAX_FORGOTTEN})`;
  return [
    db.delete(rolloutMachines).where(sql`${rolloutMachines.rolloutId} in ${forgotten}`),
    db.delete(rollouts).where(sql`${rollouts.id} in ${forgotten}`),
  ];
}

/** Whose turn it is: null when it is nobody's, because of the limit, a pause, or an end. */
export async function findNextTurn(db: Database, id: RolloutId): Promise<MachineId | null> {
  const [row] = await db
    .select({ machineId: rolloutMachines.machineId })
    .from(rolloutMachines)
    .where(
      and(
        eq(rolloutMachines.rolloutId, id),
        eq(rolloutMachines.state, "waiting"),
        eq(rolloutMachines.isAway, false),
        hasRoom(id),
      ),
    )
    .orderBy(asc(rolloutMachines.machineId))
    .limit(1);
  return row?.machineId ?? null;
}

/** Fewer than `at_once` are being upgraded; never in one that is not running. */
const hasRoom = (id: RolloutId) =>
  sql`(select count(*) from ${rolloutMachines} as others where others.rollout_id = ${id} and others.state = 'ordered')
    < (select at_once from ${rollouts} where id = ${id} and state = 'running')`;

export async function hasRoomNow(db: Database, id: RolloutId): Promise<boolean> {
  const [row] = await db
    .select({ id: rollouts.id })
    .from(rollouts)
    .where(and(eq(rollouts.id, id), hasRoom(id)));
  return row !== undefined;
}

/** True when the machine has its turn from here on, or had it before. */
export async function claimTurn(db: Database, { rolloutId, machineId }: Place, at: number): Promise<boolean> {
  const claimed = await db
    .update(rolloutMachines)
    .set({ state: "ordered", isAway: false, detail: null, at })
    .where(
      and(
        isPlace({ rolloutId, machineId }),
        sql`(${rolloutMachines.state} = 'ordered' or (${rolloutMachines.state} = 'waiting' and ${hasRoom(rolloutId)}))`,
      ),
    )
    .returning({ machineId: rolloutMachines.machineId });
  return claimed.length > 0;
}

export interface Place {
  readonly rolloutId: RolloutId;
  readonly machineId: MachineId;
}
const isPlace = ({ rolloutId, machineId }: Place) =>
  and(eq(rolloutMachines.rolloutId, rolloutId), eq(rolloutMachines.machineId, machineId));

/** It is passed over until it is back. */
export const markAway = (db: Database, place: Place, detail: string | null = null) =>
  db
    .update(rolloutMachines)
    .set({ isAway: true, detail })
    .where(and(isPlace(place), eq(rolloutMachines.state, "waiting")));

export interface OwnTurn extends Place {
  readonly sha256: BuildSha256;
  readonly isAway: boolean;
}

/** The machine's place in the open roll-out, as long as it waits there. Writes nothing: most machines that ask are in none. */
export async function findOwnTurn(db: Database, machineId: MachineId): Promise<OwnTurn | null> {
  const [row] = await db
    .select({ rolloutId: rollouts.id, sha256: rollouts.buildSha256, isAway: rolloutMachines.isAway })
    .from(rollouts)
    .innerJoin(
      rolloutMachines,
      and(eq(rolloutMachines.rolloutId, rollouts.id), eq(rolloutMachines.machineId, machineId)),
    )
    .where(and(eq(rollouts.isOpen, true), eq(rolloutMachines.state, "waiting")));
  return row === undefined ? null : { machineId, ...row };
}

/** The machine is in line again. */
export const markBack = (db: Database, place: Place) => db.update(rolloutMachines).set(BACK).where(isMissed(place));
const BACK = { isAway: false, detail: null };
const isMissed = (place: Place) =>
  and(isPlace(place), eq(rolloutMachines.state, "waiting"), eq(rolloutMachines.isAway, true));

export interface Ending extends Place {
  readonly state: "done" | "failed" | "skipped";
  readonly detail: string | null;
  readonly at: number;
}

/**
 * What became of a machine that waited or was ordered; one that was done has failed, too, when it went back to its former agent. A failure pauses
 * the roll-out, where that runs. Safe to repeat.
 */
export function endTurn(db: Database, { rolloutId, machineId, state, detail, at }: Ending): Statement[] {
  const before: RolloutMachineState[] = state === "failed" ? ["waiting", "ordered", "done"] : ["waiting", "ordered"];
  const canEnd = and(isPlace({ rolloutId, machineId }), inArray(rolloutMachines.state, before));
  const mark = db.update(rolloutMachines).set({ state, detail, at, isAway: false }).where(canEnd);
  if (state !== "failed") return [mark];
  const name = sql`(select name from ${rolloutMachines} where ${canEnd})`;
  const pause = db
    .update(rollouts)
    .set({ state: "paused", reason: sql`${name} || ' failed: ' || ${detail ?? "no reason was told"}` })
    .where(and(eq(rollouts.id, rolloutId), eq(rollouts.state, "running"), sql`${name} is not null`));
  return [pause, mark];
}

/** The detail of a machine that is there no more. */
export const MACHINE_REMOVED: SkipReason = "removed";
const CANCELLED: SkipReason = "cancelled";

/** The machine was removed: it holds up nobody. */
export const skipRemoved = (db: Database, machineId: MachineId, at: number): Statement =>
  db
    .update(rolloutMachines)
    .set({ state: "skipped", detail: MACHINE_REMOVED, isAway: false, at })
    .where(
      and(
        sql`${rolloutMachines.rolloutId} = (select id from ${rollouts} where is_open = 1)`,
        eq(rolloutMachines.machineId, machineId),
        inArray(rolloutMachines.state, ["waiting", "ordered"]),
      ),
    );

/** Ends a roll-out that has no machine left. */
export const endIfDone = (db: Database, id: RolloutId, at: number): Statement =>
  db
    .update(rollouts)
    .set({ state: "done", isOpen: false, reason: null, endedAt: at })
    .where(
      and(
        eq(rollouts.id, id),
        eq(rollouts.isOpen, true),
        sql`not exists (select 1 from ${rolloutMachines} where rollout_id = ${id} and state in ('waiting', 'ordered'))`,
      ),
    );

export const pauseRolloutRow = (db: Database, id: RolloutId, reason: string): Statement =>
  db
    .update(rollouts)
    .set({ state: "paused", reason })
    .where(and(eq(rollouts.id, id), eq(rollouts.state, "running")));

/** Machines that were passed over are asked again. */
export const resumeRolloutRows = (db: Database, id: RolloutId): Statement[] => [
  db
    .update(rollouts)
    .set({ state: "running", reason: null })
    .where(and(eq(rollouts.id, id), eq(rollouts.isOpen, true))),
  db
    .update(rolloutMachines)
    .set(BACK)
    .where(
      and(eq(rolloutMachines.rolloutId, id), eq(rolloutMachines.state, "waiting"), eq(rolloutMachines.isAway, true)),
    ),
];

export const isRolloutIn = (id: RolloutId, states: readonly RolloutRecord["state"][]): SQL =>
  sql`exists (select 1 from ${rollouts} where id = ${id} and ${inArray(rollouts.state, [...states])})`;

/** Machines that wait are out of it; those that were ordered go on. */
export const cancelRolloutRows = (db: Database, id: RolloutId, at: number): Statement[] => [
  db
    .update(rolloutMachines)
    .set({ state: "skipped", detail: CANCELLED, isAway: false, at })
    .where(and(eq(rolloutMachines.rolloutId, id), eq(rolloutMachines.state, "waiting"))),
  db
    .update(rollouts)
    .set({ state: "cancelled", isOpen: false, reason: null, endedAt: at })
    .where(and(eq(rollouts.id, id), eq(rollouts.isOpen, true))),
];
