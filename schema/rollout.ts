// A roll-out: the agent that this control plane hands out, brought to machines, so many at a time.
import { z } from "zod";
import { MachineId, RolloutId } from "./ids.ts";
import { type AgentInfo, BuildSha256 } from "./machine.ts";
import { Name } from "./mesh.ts";
import { Timestamp } from "./timestamp.ts";

/** How many machines may be upgraded at the same time, at most. */
export const MAX_AT_ONCE = 50;
/** How many roll-outs that have ended are kept, with what became of their machines. */
export const KEPT_ROLLOUTS = 20;
/** Told a machine, an upgrade has to end within this: a slow download, packages, and the restart. */
export const UPGRADE_LIMIT_MS = 10 * 60_000;

export const AgentBuild = z
  .object({
    version: z.string().meta({ description: "Becket's version.", examples: ["0.1.0"] }),
    sha256: BuildSha256,
  })
  .meta({ id: "AgentBuild", description: "An agent that a control plane hands out." });
export type AgentBuild = z.infer<typeof AgentBuild>;

export const RolloutState = z.enum(["running", "paused", "done", "cancelled"]).meta({
  id: "RolloutState",
  description:
    "running: machines get their orders; paused: those that were ordered go on, and no other begins; done: no machine is left; cancelled: somebody ended it.",
  examples: ["running"],
});
export type RolloutState = z.infer<typeof RolloutState>;

export const RolloutMachineState = z.enum(["waiting", "ordered", "done", "failed", "skipped"]).meta({
  id: "RolloutMachineState",
  description:
    "waiting: for its turn, or until it is connected; ordered: it was told, and upgrades itself; done: it runs the new agent; failed: it runs the former one, and `detail` says why; skipped: it has no part in it, and `detail` says why.",
  examples: ["waiting"],
});
export type RolloutMachineState = z.infer<typeof RolloutMachineState>;

const count = (what: string) =>
  z
    .number()
    .int()
    .nonnegative()
    .meta({ description: what, examples: [1] });

export const atOnce = z
  .number()
  .int()
  .min(1)
  .max(MAX_AT_ONCE)
  .meta({ description: "How many machines may be upgraded at the same time.", examples: [1] });

export const Rollout = z
  .object({
    id: RolloutId,
    build: AgentBuild.describe("What the machines get."),
    atOnce,
    state: RolloutState,
    reason: z
      .string()
      .nullable()
      .meta({ description: "Why it is paused; null when it is not.", examples: ["box failed: there is no room"] }),
    counts: z
      .object({
        waiting: count("Machines that wait for their turn, or to be connected."),
        ordered: count("Machines that are upgrading themselves."),
        done: count("Machines that run the new agent."),
        failed: count("Machines that could not be upgraded."),
        skipped: count("Machines that have no part in it."),
      })
      .describe("How many of its machines are in each state."),
    startedBy: z.string().meta({ description: "Who started it: the name at that time.", examples: ["Ada"] }),
    createdAt: Timestamp.describe("When it was started."),
    endedAt: Timestamp.nullable().describe("When it was done or cancelled; null before."),
  })
  .meta({ id: "Rollout", description: "An upgrade of agents, a few machines at a time." });
export type Rollout = z.infer<typeof Rollout>;

export const RolloutMachine = z
  .object({
    machineId: MachineId,
    name: Name.meta({ description: "The machine's name when the roll-out was started.", examples: ["build-server"] }),
    state: RolloutMachineState,
    away: z.boolean().meta({
      description:
        "It was not connected, or could not be asked, when its turn came: it gets its order when it is back.",
      examples: [false],
    }),
    detail: z
      .string()
      .nullable()
      .meta({ description: "Why it is in this state, for people.", examples: [null] }),
    at: Timestamp.describe("When it came into this state."),
  })
  .meta({ id: "RolloutMachine", description: "A machine of a roll-out." });
export type RolloutMachine = z.infer<typeof RolloutMachine>;

/** Whether a machine with this agent can be told to upgrade it. */
export type UpgradeConsent = "allowed" | "not_allowed" | "too_old";
export function toUpgradeConsent(agent: Pick<AgentInfo, "allowsUpgrades"> | null): UpgradeConsent {
  if (agent?.allowsUpgrades === undefined) return "too_old";
  return agent.allowsUpgrades ? "allowed" : "not_allowed";
}

/** Why a machine is skipped. Stored as this, as it may be thousands of machines. */
export const SkipReason = z.enum(["not_allowed", "too_old", "allowed_no_more", "removed", "cancelled"]);
export type SkipReason = z.infer<typeof SkipReason>;

/** For people, with what to do about it. */
export function explainSkip(reason: SkipReason, origin: string): string {
  const byHand = `run on it: ${toUpgradeLine(origin)}`;
  switch (reason) {
    case "not_allowed":
      return `It does not allow upgrades from here. To upgrade it by hand, ${byHand}. To allow it from now on, run on it: ${ALLOW_LINE}`;
    case "too_old":
      return `Its agent is from before roll-outs. To upgrade it, ${byHand}`;
    case "allowed_no_more":
      return "It did not allow upgrades any more when its turn came.";
    case "removed":
      return "The machine was removed.";
    case "cancelled":
      return "The roll-out was cancelled before its turn.";
  }
}

/** Null when that is not known. An agent from before roll-outs does not tell its build, and so is an earlier one. */
export function isUpToDate(agent: Pick<AgentInfo, "buildSha256"> | null, build: AgentBuild | null): boolean | null {
  return agent === null || build === null ? null : agent.buildSha256 === build.sha256;
}

/** What a person runs on a machine to upgrade it by hand. */
export const toUpgradeLine = (origin: string): string => `curl -fsSL ${origin}/install.sh | sudo sh`;
/** What a person runs on a machine to let the control plane upgrade it: with systemd or OpenRC, and where the file's last line has no end. */
export const ALLOW_LINE =
  "printf '\\nBECKET_ALLOW_UPGRADES=yes\\n' | sudo tee -a /etc/default/becket && { sudo systemctl restart becket || sudo rc-service becket restart; }";
