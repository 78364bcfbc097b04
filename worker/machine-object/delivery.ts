import { createDatabase } from "../db/database.ts";
import type { Env } from "../env.ts";
import { createObjects } from "../objects.ts";
import type { Projection } from "../outbox/entries.ts";
import { createProjector } from "../outbox/project.ts";
import { type AdvanceParts, advanceRollout } from "../rollouts/advance-rollout.ts";

/** Where a machine's turn in a roll-out has ended, the next machine gets its turn before the delivery counts: so none is forgotten. */
export function createDelivery(
  env: Env,
  options: Pick<AdvanceParts, "now" | "log" | "maxAsked">,
): (projections: readonly Projection[]) => Promise<readonly Projection[]> {
  const project = createProjector(env.DB);
  const parts = { ...options, db: createDatabase(env.DB), machineOf: createObjects(env).machine };
  return async (projections) => {
    const failed = await project(projections);
    const moved = projections.flatMap((projection) => {
      if (projection.type === "rollout_unfinished") return [projection.rolloutId];
      return projection.type === "upgrade_ended" ? [projection.ending.rolloutId] : [];
    });
    for (const rolloutId of new Set(moved)) await advanceRollout(parts, rolloutId);
    return failed;
  };
}
