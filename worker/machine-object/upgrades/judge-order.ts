// What is to become of a machine's turn in a roll-out, and of its order. Pure: time and the agent's word come in.
import type { AgentInfo, BuildSha256 } from "#schema/machine";
import { type SkipReason, toUpgradeConsent, UPGRADE_LIMIT_MS } from "#schema/rollout";
import type { UpgradeOrderRecord } from "./upgrade-storage.ts";

export type TurnVerdict =
  | { readonly code: "ready" | "away" }
  | { readonly code: "done"; readonly detail: string }
  | { readonly code: "skipped"; readonly detail: SkipReason };

export function judgeTurn(
  { agent, isListening }: { readonly agent: AgentInfo | null; readonly isListening: boolean },
  sha256: BuildSha256,
): TurnVerdict {
  if (agent?.buildSha256 === sha256) return { code: "done", detail: "It had this agent when its turn came." };
  // What it said when it was here last: it may say something else when it is back.
  if (!isListening) return { code: "away" };
  if (toUpgradeConsent(agent) === "allowed") return { code: "ready" };
  return { code: "skipped", detail: "allowed_no_more" };
}

/** What an alarm means for the order. */
export function judgeDue(order: UpgradeOrderRecord, nowMs: number): "claim" | "wait" | "failed" | "over" {
  if (order.state === "claiming") return "claim";
  if (nowMs < order.dueAt) return "wait";
  return order.state === "done" ? "over" : "failed";
}

/** What a hello means for the order. none: nothing; the machine may have a turn to ask for. */
export function judgeHello(
  order: UpgradeOrderRecord | null,
  { buildSha256 }: Pick<AgentInfo, "buildSha256">,
  nowMs: number,
): "done" | "failed" | "kept" | "none" {
  if (order?.state === "claiming") return "kept";
  if (order?.state === "ordered") return buildSha256 === order.sha256 ? "done" : "kept";
  return order?.state === "done" && buildSha256 !== order.sha256 && nowMs < order.dueAt ? "failed" : "none";
}

const LOGS = "What happened is on it: journalctl -u becket-upgrade -u becket (OpenRC: /var/log/becket-upgrade.log).";

export const TOO_LATE = `It did not come back with the new agent within ${UPGRADE_LIMIT_MS / 60_000} minutes. ${LOGS}`;
export const WENT_BACK = `It came with the new agent, and then with another one. ${LOGS}`;
