import type { StartRollout } from "#schema/api/rollouts";
import { err, type Result } from "#schema/result";
import { explainSkip, type Rollout } from "#schema/rollout";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import {
  forgetEndedRollouts,
  insertRollout,
  insertRolloutMachines,
  listUpgradable,
  type RolloutRecord,
} from "../db/rollouts.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { advanceOrPause } from "./advance.ts";
import { type PlannedMachine, planRollout } from "./plan-rollout.ts";
import { readRollout } from "./read-rollouts.ts";

type StartFailure = Failure<"machine_not_found" | "nothing_to_upgrade" | "rollout_in_progress" | "unavailable">;

export async function startRollout(
  services: Services,
  { request, origin, cause }: { request: StartRollout; origin: string; cause: Cause },
): Promise<Result<Rollout, StartFailure>> {
  const { db, ids, now } = services;
  const build = await services.agentBuild.read();
  if (build === null) return err({ code: "unavailable", detail: "this control plane has no agent to hand out" });
  const named = request.machineIds === undefined ? null : [...new Set(request.machineIds)];
  const machines = await listUpgradable(db, named);
  const missing = named?.find((id) => !machines.some((machine) => machine.id === id));
  if (missing !== undefined) {
    return err(fieldFailure("machine_not_found", "machineIds", `there is no machine ${missing}`));
  }
  const planned = planRollout(machines, build);
  if (!planned.some(({ skipReason }) => skipReason === null)) {
    return err({ code: "nothing_to_upgrade", detail: explainNothing(planned, origin) });
  }
  const at = now();
  const rollout: RolloutRecord = {
    ...{ id: ids.rollout(), buildVersion: build.version, buildSha256: build.sha256, atOnce: request.atOnce },
    ...{ state: "running", isOpen: true, reason: null, startedBy: cause.actor.name, createdAt: at, endedAt: null },
  };
  // Who is away is found when its turn comes: only the machine's own object knows.
  const place = { rolloutId: rollout.id, isAway: false, at };
  const rows = planned.map(({ id, name, skipReason }) => ({
    ...{ ...place, machineId: id, name, detail: skipReason },
    state: skipReason === null ? ("waiting" as const) : ("skipped" as const),
  }));
  const details = { version: build.version, buildSha256: build.sha256, atOnce: request.atOnce, machines: rows.length };
  const event = createAuditEvent(services, cause, { action: "rollout.started", subjectId: rollout.id, details });
  try {
    await runBatch(db, [
      insertRollout(db, rollout),
      ...insertRolloutMachines(db, rows),
      insertAuditEvent(db, event),
      ...forgetEndedRollouts(db),
    ]);
  } catch (error) {
    if (parseUniqueViolation(error) !== "rollouts.is_open") throw error;
    const detail = "there is a roll-out that has not ended: cancel it, or wait for its end";
    return err({ code: "rollout_in_progress", detail });
  }
  await advanceOrPause(services, rollout.id);
  const started = await readRollout(services, rollout.id);
  if (!started.ok) throw new Error(`the roll-out ${rollout.id} is gone`);
  return started;
}

function explainNothing(planned: readonly PlannedMachine[], origin: string): string {
  const [first] = planned;
  if (first === undefined || first.skipReason === null) {
    return "all of these machines run this control plane's agent already";
  }
  const others = planned.length === 1 ? "" : `, and ${planned.length - 1} more`;
  const why = explainSkip(first.skipReason, origin);
  return `none of the machines that run another agent can be told from here. ${first.name}${others}: ${why}`;
}
