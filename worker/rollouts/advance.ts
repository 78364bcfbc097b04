import type { RolloutId } from "#schema/ids";
import type { Services } from "../services.ts";
import { advanceRollout } from "./advance-rollout.ts";

/** For the API: what is left when many machines are away is done by those that it reached. */
export const advance = ({ db, now, objects }: Services, rolloutId: RolloutId): Promise<boolean> =>
  advanceRollout({ db, now, machineOf: objects.machine }, rolloutId);
