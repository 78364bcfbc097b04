// What is to become of a machine's turn in a roll-out, and of its order. Pure: time and the agent's word come in.
import type { AgentInfo, BuildSha256 } from "#schema/machine";
import { toUpgradeConsent, UPGRADE_LIMIT_MS } from "#schema/rollout";
import type { UpgradeOrderRecord } from "./upgrade-storage.ts";

export type TurnVerdict =
  | { readonly code: "ready" | "away" }
  | { readonly code: "done" | "skipped"; readonly detail: string };

export function judgeTurn(
  { agent, isListening }: { readonly agent: AgentInfo | null; readonly isListening: boolean },
  sha256: BuildSha256,
): TurnVerdict {
  if (agent?.buildSha256 === sha256) return { code: "done", detail: "It had this agent when its turn came." };
  // What it said when it was here last: it may say something else when it is back.
  if (!isListening) return { code: "away" };
  if (toUpgradeConsent(agent) === "allowed") return { code: "ready" };
  return { code: "skipped", detail: "It did not allow upgrades any more when its turn came." };
}

/** What an alarm means for the order. */
export function judgeDue(order: UpgradeOrderRecord, nowMs: number): "claim" | "wait" | "failed" {
  if (order.state === "claiming") return "claim";
  return nowMs < order.dueAt ? "wait" : "failed";
}

export const TOO_LATE =
  `It did not come back with the new agent within ${UPGRADE_LIMIT_MS / 60_000} minutes. What happened is on it: ` +
  "journalctl -u becket-upgrade -u becket (OpenRC: /var/log/becket-upgrade.log).";
