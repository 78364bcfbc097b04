// Who has a part in a roll-out. Pure.
import type { MachineId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import { type AgentBuild, isUpToDate, type SkipReason, toUpgradeConsent } from "#schema/rollout";

export interface PlannedMachine {
  readonly id: MachineId;
  readonly name: string;
  /** Null: it waits for its turn. */
  readonly skipReason: SkipReason | null;
}

/** Those that run the build already are left out. */
export function planRollout(
  machines: readonly { readonly id: MachineId; readonly name: string; readonly agent: AgentInfo | null }[],
  build: AgentBuild,
): PlannedMachine[] {
  return machines
    .filter(({ agent }) => isUpToDate(agent, build) !== true)
    .map(({ id, name, agent }) => {
      const consent = toUpgradeConsent(agent);
      return { id, name, skipReason: consent === "allowed" ? null : consent };
    });
}
