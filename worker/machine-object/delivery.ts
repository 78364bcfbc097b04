import { createDatabase } from "../db/database.ts";
import type { Env } from "../env.ts";
import { createObjects } from "../objects.ts";
import type { Projection } from "../outbox/entries.ts";
import { createProjector } from "../outbox/project.ts";
import { advanceRollout } from "../rollouts/advance-rollout.ts";

/** Where a machine's turn in a roll-out has ended, the next machine gets its turn before the delivery counts: so none is forgotten. */
export function createDelivery(
  env: Env,
  now: () => number,
): (projections: readonly Projection[]) => Promise<readonly Projection[]> {
  const project = createProjector(env.DB);
  const parts = { db: createDatabase(env.DB), now, machineOf: createObjects(env).machine };
  return async (projections) => {
    const failed = await project(projections);
    const endings = projections.flatMap((projection) =>
      projection.type === "upgrade_ended" ? [projection.ending] : [],
    );
    for (const rolloutId of new Set(endings.map((ending) => ending.rolloutId))) {
      if (!(await advanceRollout(parts, rolloutId))) throw new Error("there are more machines to be asked");
    }
    return failed;
  };
}
