import { z } from "zod";
import { MachineId, RolloutId } from "../ids.ts";
import { atOnce, KEPT_ROLLOUTS, Rollout, RolloutMachine } from "../rollout.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "rollouts";
const params = z.object({ rolloutId: RolloutId });
const MAX_NAMED = 1_000;

export const StartRollout = z
  .object({
    machineIds: z
      .array(MachineId)
      .min(1)
      .max(MAX_NAMED)
      .optional()
      .describe("The machines; all when it is left out. Those that run this agent already have no part in it."),
    atOnce: atOnce.default(1),
  })
  .meta({ id: "StartRollout", description: "Which machines, and how many at the same time." });
export type StartRollout = z.infer<typeof StartRollout>;

export const startRollout = defineOperation({
  id: "startRollout",
  tag,
  method: "post",
  path: "/rollouts",
  summary: "Start a roll-out",
  description:
    "Machines upgrade themselves to the agent that this control plane hands out, `atOnce` at a time: those that allow it, which is their own setting. " +
    "A machine that is not connected holds up nobody and gets its order when it is back. When one fails, which leaves it with its former agent, the " +
    "roll-out is paused. There is one at a time.",
  role: "admin",
  body: StartRollout,
  status: 201,
  reply: Rollout,
  isIdempotencyKeyAccepted: true,
  errors: ["machine_not_found", "nothing_to_upgrade", "rollout_in_progress", "unavailable"],
});
export const listRollouts = defineOperation({
  id: "listRollouts",
  tag,
  method: "get",
  path: "/rollouts",
  summary: "List roll-outs, newest first",
  description: `The last ${KEPT_ROLLOUTS} that have ended are kept; the start of another one forgets older ones.`,
  role: "viewer",
  query: PageQuery,
  status: 200,
  reply: pageOf(Rollout, "RolloutPage"),
  errors: ["cursor_invalid"],
});
export const getRollout = defineOperation({
  id: "getRollout",
  tag,
  method: "get",
  path: "/rollouts/{rolloutId}",
  summary: "Read a roll-out",
  role: "viewer",
  params,
  status: 200,
  reply: Rollout,
  errors: ["rollout_not_found"],
});
export const listRolloutMachines = defineOperation({
  id: "listRolloutMachines",
  tag,
  method: "get",
  path: "/rollouts/{rolloutId}/machines",
  summary: "List the machines of a roll-out",
  role: "viewer",
  params,
  query: PageQuery,
  status: 200,
  reply: pageOf(RolloutMachine, "RolloutMachinePage"),
  errors: ["rollout_not_found", "cursor_invalid"],
});
export const pauseRollout = defineOperation({
  id: "pauseRollout",
  tag,
  method: "post",
  path: "/rollouts/{rolloutId}/pause",
  summary: "Pause a roll-out",
  description: "Machines that were ordered go on; no other begins.",
  role: "admin",
  params,
  status: 200,
  reply: Rollout,
  errors: ["rollout_not_found", "rollout_ended"],
});
export const resumeRollout = defineOperation({
  id: "resumeRollout",
  tag,
  method: "post",
  path: "/rollouts/{rolloutId}/resume",
  summary: "Resume a roll-out",
  description:
    "It goes on with the machines that wait. Those that failed stay as they are: a later roll-out takes them again.",
  role: "admin",
  params,
  status: 200,
  reply: Rollout,
  errors: ["rollout_not_found", "rollout_ended", "rollout_outdated"],
});
export const cancelRollout = defineOperation({
  id: "cancelRollout",
  tag,
  method: "post",
  path: "/rollouts/{rolloutId}/cancel",
  summary: "Cancel a roll-out",
  description: "Machines that were ordered go on; the others keep the agent that they have.",
  role: "admin",
  params,
  status: 200,
  reply: Rollout,
  errors: ["rollout_not_found", "rollout_ended"],
});
