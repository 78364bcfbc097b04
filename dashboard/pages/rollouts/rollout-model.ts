// What a roll-out would do and what it did, in words. Pure.
import type { Machine } from "#schema/machine";
import { type Rollout, type RolloutMachine, toUpgradeConsent, type UpgradeConsent } from "#schema/rollout";
import type { Tone } from "../../components/badge.tsx";

export interface UpgradePlan {
  readonly ready: readonly Machine[];
  /** Its agent is told of the choice: it says no. */
  readonly unwilling: readonly Machine[];
  /** Agents from before roll-outs. */
  readonly tooOld: readonly Machine[];
}

/** Of the machines that run another agent than the control plane hands out. */
export function planUpgrade(machines: readonly Machine[]): UpgradePlan {
  const older = machines.filter(({ upToDate }) => upToDate === false);
  const select = (consent: UpgradeConsent) => older.filter(({ agent }) => toUpgradeConsent(agent) === consent);
  return { ready: select("allowed"), unwilling: select("not_allowed"), tooOld: select("too_old") };
}

export const countOlder = (machines: readonly Machine[]): number =>
  machines.filter(({ upToDate }) => upToDate === false).length;

/** `a, b and 3 more` */
export function listNames(machines: readonly { readonly name: string }[], most = 5): string {
  const names = machines.slice(0, most).map(({ name }) => name);
  const more = machines.length - names.length;
  if (more > 0) return `${names.join(", ")} and ${more} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export const isOpen = ({ state }: Pick<Rollout, "state">): boolean => state === "running" || state === "paused";
/** Machines that were ordered go on after it was cancelled, too. */
export const isMoving = ({ state, counts }: Pick<Rollout, "state" | "counts">): boolean =>
  isOpen({ state }) || counts.ordered > 0;

export const ROLLOUT_WORDS: Readonly<Record<Rollout["state"], { readonly label: string; readonly tone: Tone }>> = {
  running: { label: "running", tone: "info" },
  paused: { label: "paused", tone: "warn" },
  done: { label: "done", tone: "good" },
  cancelled: { label: "cancelled", tone: "neutral" },
};

const MACHINE_WORDS: Readonly<Record<RolloutMachine["state"], { readonly label: string; readonly tone: Tone }>> = {
  waiting: { label: "waiting", tone: "neutral" },
  ordered: { label: "upgrading", tone: "info" },
  done: { label: "done", tone: "good" },
  failed: { label: "failed", tone: "bad" },
  skipped: { label: "skipped", tone: "neutral" },
};

export const toMachineWords = ({ state, away }: Pick<RolloutMachine, "state" | "away">) =>
  state === "waiting" && away ? { label: "not connected", tone: "warn" as Tone } : MACHINE_WORDS[state];

/** `2 of 5 machines done, 1 failed, 2 skipped` */
export function describeProgress({ counts }: Pick<Rollout, "counts">): string {
  const part = counts.waiting + counts.ordered + counts.done + counts.failed;
  return [
    part === 0
      ? "no machine has a part in it"
      : `${counts.done} of ${part} ${part === 1 ? "machine" : "machines"} done`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
  ].join(", ");
}

const ORDER: readonly RolloutMachine["state"][] = ["failed", "ordered", "waiting", "done", "skipped"];
/** What needs somebody first, then what happens. */
export const sortMachines = (machines: readonly RolloutMachine[]): RolloutMachine[] =>
  machines.toSorted(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.name.localeCompare(other.name),
  );
