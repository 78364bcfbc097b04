// A roll-out of the control plane's agent to all machines, as the dashboard starts it.
import { listRolloutMachines } from "#schema/api/rollouts";
import { Rollout } from "#schema/rollout";
import { eventually } from "../lab/probes/eventually.ts";
import type { Fleet } from "./fleet.ts";

/** @returns what became of each machine that had another agent */
export async function rollOut(fleet: Fleet): Promise<unknown> {
  const { id } = Rollout.parse(await fleet.api.call("POST", "/rollouts", {}));
  const hasEnded = async () => Rollout.parse(await fleet.api.call("GET", `/rollouts/${id}`)).endedAt !== null;
  await eventually(hasEnded, { withinMs: 120_000, describe: "the roll-out has ended" });
  return listRolloutMachines.reply.parse(await fleet.api.call("GET", `/rollouts/${id}/machines`)).items;
}
