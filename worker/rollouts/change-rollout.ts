import type { AuditAction } from "#schema/api/audit-events";
import type { RolloutId } from "#schema/ids";
import { err, type Result } from "#schema/result";
import type { Rollout } from "#schema/rollout";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch, type Statement } from "../db/database.ts";
import {
  cancelRolloutRows,
  findRollout,
  pauseRolloutRow,
  type RolloutRecord,
  resumeRolloutRow,
} from "../db/rollouts.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { advance } from "./advance.ts";
import { readRollout } from "./read-rollouts.ts";

interface Request {
  readonly rolloutId: RolloutId;
  readonly cause: Cause;
}
type ChangeFailure = Failure<"rollout_not_found" | "rollout_ended">;

export async function pauseRollout(services: Services, request: Request): Promise<Result<Rollout, ChangeFailure>> {
  const rollout = await findOpen(services, request.rolloutId);
  if (!rollout.ok) return rollout;
  // What it is paused for stays.
  if (rollout.value.state === "running") {
    const reason = `${request.cause.actor.name} paused it`;
    await store(services, request, "rollout.paused", [pauseRolloutRow(services.db, request.rolloutId, reason)]);
  }
  return readRollout(services, request.rolloutId);
}

/** Also of one that runs: it looks again whose turn it is. */
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
  if (rollout.value.state === "paused") {
    await store(services, request, "rollout.resumed", [resumeRolloutRow(services.db, request.rolloutId)]);
  }
  await advance(services, request.rolloutId);
  return readRollout(services, request.rolloutId);
}

export async function cancelRollout(services: Services, request: Request): Promise<Result<Rollout, ChangeFailure>> {
  const rollout = await findOpen(services, request.rolloutId);
  if (!rollout.ok) return rollout;
  const statements = cancelRolloutRows(services.db, request.rolloutId, services.now());
  await store(services, request, "rollout.cancelled", statements);
  return readRollout(services, request.rolloutId);
}

async function findOpen({ db }: Services, rolloutId: RolloutId): Promise<Result<RolloutRecord, ChangeFailure>> {
  const rollout = await findRollout(db, rolloutId);
  if (rollout === null) return err({ code: "rollout_not_found" });
  return rollout.isOpen ? { ok: true, value: rollout } : err({ code: "rollout_ended" });
}

async function store(
  services: Services,
  { rolloutId, cause }: Request,
  action: AuditAction,
  statements: readonly Statement[],
): Promise<void> {
  const event = createAuditEvent(services, cause, { action, subjectId: rolloutId });
  await runBatch(services.db, [...statements, insertAuditEvent(services.db, event)]);
}
