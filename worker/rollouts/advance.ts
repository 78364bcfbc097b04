import type { RolloutId } from "#schema/ids";
import { runBatch } from "../db/database.ts";
import { pauseRolloutRow } from "../db/rollouts.ts";
import { toErrorFields } from "../log.ts";
import type { Services } from "../services.ts";
import { advanceRollout } from "./advance-rollout.ts";

/** For the API. */
export const advance = ({ db, now, log, objects }: Services, rolloutId: RolloutId): Promise<void> =>
  advanceRollout({ db, now, log, machineOf: objects.machine }, rolloutId);

/** For people who start or resume it: what can't begin is theirs to begin again, and is not left as if it ran. */
export async function advanceOrPause(services: Services, rolloutId: RolloutId): Promise<void> {
  try {
    await advance(services, rolloutId);
  } catch (error) {
    services.log.warn("a roll-out could not begin", { rolloutId, ...toErrorFields(error) });
    const reason = "The control plane could not give the machines their turns: resume it to try again";
    await runBatch(services.db, [pauseRolloutRow(services.db, rolloutId, reason)]);
  }
}
