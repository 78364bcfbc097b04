import type { AuditAction } from "#schema/api/audit-events";
import type { RolloutId } from "#schema/ids";
import { err, type Result } from "#schema/result";
import type { Rollout } from "#schema/rollout";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEventIf } from "../db/audit-events.ts";
import { runBatch, type Statement } from "../db/database.ts";
import {
  cancelRolloutRows,
  findRollout,
  isRolloutIn,
  pauseRolloutRow,
  type RolloutRecord,
  resumeRolloutRows,
} from "../db/rollouts.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { advanceOrPause } from "./advance.ts";
import { readRollout } from "./read-rollouts.ts";

interface Request {
  readonly rolloutId: RolloutId;
  readonly cause: Cause;
}
type ChangeFailure = Failure<"rollout_not_found" | "rollout_ended">;

export async function pauseRollout(services: Services, request: Request): Promise<Result<Rollout, ChangeFailure>> {
  const rollout = await findOpen(services, request.rolloutId);
  if (!rollout.ok) return rollout;
  // Where it is paused already, what it is paused for stays.
  const statement = pauseRolloutRow(services.db, request.rolloutId, `${request.cause.actor.name} paused it`);
  await store(services, request, { action: "rollout.paused", from: ["running"], statements: [statement] });
  return readRollout(services, request.rolloutId);
}

/** Also of one that runs: it asks again who was passed over, and looks whose turn it is. */
export async function resumeRollout(
  services: Services,
  request: Request,
): Promise<Result<Rollout, ChangeFailure | Failure<"rollout_outdated">>> {
  const rollout = await findOpen(services, request.rolloutId);
  if (!rollout.ok) return rollout;
  const build = await services.agentBuild.read();
  if (build !== null && build.sha256 !== rollout.value.buildSha256) {
    const detail = "its machines would refuse the agent that the control plane has now: cancel it, and start another";
    return err({ code: "rollout_outdated", detail });
  }
  const statements = resumeRolloutRows(services.db, request.rolloutId);
  await store(services, request, { action: "rollout.resumed", from: ["paused"], statements });
  await advanceOrPause(services, request.rolloutId);
  return readRollout(services, request.rolloutId);
}

export async function cancelRollout(services: Services, request: Request): Promise<Result<Rollout, ChangeFailure>> {
  const rollout = await findOpen(services, request.rolloutId);
  if (!rollout.ok) return rollout;
  const statements = cancelRolloutRows(services.db, request.rolloutId, services.now());
  await store(services, request, { action: "rollout.cancelled", from: ["running", "paused"], statements });
  return readRollout(services, request.rolloutId);
}

async function findOpen({ db }: Services, rolloutId: RolloutId): Promise<Result<RolloutRecord, ChangeFailure>> {
  const rollout = await findRollout(db, rolloutId);
  if (rollout === null) return err({ code: "rollout_not_found" });
  return rollout.isOpen ? { ok: true, value: rollout } : err({ code: "rollout_ended" });
}

interface Change {
  readonly action: AuditAction;
  /** The states that it changes: of another nothing is changed, and nothing told. */
  readonly from: readonly RolloutRecord["state"][];
  readonly statements: readonly Statement[];
}

async function store(services: Services, { rolloutId, cause }: Request, change: Change): Promise<void> {
  const event = createAuditEvent(services, cause, { action: change.action, subjectId: rolloutId });
  const told = insertAuditEventIf(services.db, event, isRolloutIn(rolloutId, change.from));
  await runBatch(services.db, [told, ...change.statements]);
}
