import * as operations from "#schema/api/rollouts";
import { cancelRollout, pauseRollout, resumeRollout } from "../rollouts/change-rollout.ts";
import { listRolloutMachines, listRollouts, readRollout } from "../rollouts/read-rollouts.ts";
import { startRollout } from "../rollouts/start-rollout.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountRollouts(mount: Mount, services: Services): void {
  mount(operations.startRollout, ({ body, origin, cause }) => startRollout(services, { request: body, origin, cause }));
  mount(operations.listRollouts, ({ query }) => listRollouts(services, query));
  mount(operations.getRollout, ({ params }) => readRollout(services, params.rolloutId));
  mount(operations.listRolloutMachines, ({ params, query, origin }) =>
    listRolloutMachines(services, { ...params, query, origin }),
  );
  mount(operations.pauseRollout, ({ params, cause }) => pauseRollout(services, { ...params, cause }));
  mount(operations.resumeRollout, ({ params, cause }) => resumeRollout(services, { ...params, cause }));
  mount(operations.cancelRollout, ({ params, cause }) => cancelRollout(services, { ...params, cause }));
}
