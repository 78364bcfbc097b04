import { MachineId, RolloutId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { explainSkip, type Rollout, type RolloutMachine, SkipReason } from "#schema/rollout";
import {
  countRolloutMachines,
  findRollout,
  listRolloutMachineRows,
  listRolloutRows,
  type RolloutCounts,
  type RolloutMachineRecord,
  type RolloutRecord,
} from "../db/rollouts.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

export async function listRollouts(
  { db }: Pick<Services, "db">,
  query: PageQuery,
): Promise<Result<Page<Rollout>, Failure<"cursor_invalid">>> {
  const request = parsePageRequest(query, RolloutId);
  if (!request.ok) return request;
  const rows = await listRolloutRows(db, request.value);
  const { items, nextCursor } = toPage(rows, request.value.limit, { idOf: (row) => row.id, toItem: (row) => row });
  const counts = await countRolloutMachines(
    db,
    items.map(({ id }) => id),
  );
  return ok({ items: items.map((row) => toRollout(row, counts.get(row.id) ?? {})), nextCursor });
}

export async function readRollout(
  { db }: Pick<Services, "db">,
  id: RolloutId,
): Promise<Result<Rollout, Failure<"rollout_not_found">>> {
  const row = await findRollout(db, id);
  if (row === null) return err({ code: "rollout_not_found" });
  return ok(toRollout(row, (await countRolloutMachines(db, [id])).get(id) ?? {}));
}

export async function listRolloutMachines(
  { db }: Pick<Services, "db">,
  {
    rolloutId: id,
    query,
    origin,
  }: { readonly rolloutId: RolloutId; readonly query: PageQuery; readonly origin: string },
): Promise<Result<Page<RolloutMachine>, Failure<"rollout_not_found" | "cursor_invalid">>> {
  const request = parsePageRequest(query, MachineId);
  if (!request.ok) return request;
  if ((await findRollout(db, id)) === null) return err({ code: "rollout_not_found" });
  const rows = await listRolloutMachineRows(db, id, request.value);
  return ok(
    toPage(rows, request.value.limit, {
      idOf: (row) => row.machineId,
      toItem: (row) => toRolloutMachine(row, origin),
    }),
  );
}

function toRolloutMachine(row: RolloutMachineRecord, origin: string): RolloutMachine {
  const { machineId, name, state, isAway: away, at } = row;
  // A row from before there were reasons has the sentence itself. Of one that failed it is the machine's own word.
  const reason = state === "skipped" ? SkipReason.safeParse(row.detail) : null;
  const detail = reason?.success === true ? explainSkip(reason.data, origin) : row.detail;
  return { machineId, name, state, away, detail, at: new Date(at).toISOString() };
}

const toRollout = (row: RolloutRecord, counts: RolloutCounts): Rollout => ({
  id: row.id,
  build: { version: row.buildVersion, sha256: row.buildSha256 },
  atOnce: row.atOnce,
  state: row.state,
  reason: row.reason,
  counts: { waiting: 0, ordered: 0, done: 0, failed: 0, skipped: 0, ...counts },
  startedBy: row.startedBy,
  createdAt: new Date(row.createdAt).toISOString(),
  endedAt: row.endedAt === null ? null : new Date(row.endedAt).toISOString(),
});
