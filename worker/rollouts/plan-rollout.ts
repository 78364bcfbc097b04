// Who has a part in a roll-out. Pure.
import type { MachineId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import { type AgentBuild, ALLOW_LINE, isUpToDate, toUpgradeConsent, toUpgradeLine } from "#schema/rollout";

export interface PlannedMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly state: "waiting" | "skipped";
  /** Why it is skipped, and what to do about it. */
  readonly detail: string | null;
}

/** Those that run the build already are left out. */
export function planRollout(
  machines: readonly { readonly id: MachineId; readonly name: string; readonly agent: AgentInfo | null }[],
  { build, origin }: { readonly build: AgentBuild; readonly origin: string },
): PlannedMachine[] {
  return machines
    .filter(({ agent }) => isUpToDate(agent, build) !== true)
    .map(({ id, name, agent }) => {
      const detail = explainSkip(agent, origin);
      return { id, name, state: detail === null ? "waiting" : "skipped", detail };
    });
}

function explainSkip(agent: AgentInfo | null, origin: string): string | null {
  const byHand = `run on it: ${toUpgradeLine(origin)}`;
  switch (toUpgradeConsent(agent)) {
    case "allowed":
      return null;
    case "not_allowed":
      return `It does not allow upgrades from here. To upgrade it by hand, ${byHand}. To allow it from now on, run on it: ${ALLOW_LINE}`;
    case "too_old":
      return `Its agent is from before roll-outs. To upgrade it, ${byHand}`;
  }
}
