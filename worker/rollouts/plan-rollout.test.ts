import { expect, test } from "vitest";
import { createMachineId } from "../testing/fake-agent.ts";
import { planRollout } from "./plan-rollout.ts";

const OLD = { agentVersion: "0.1.0", nodeVersion: "v24", kernelVersion: "6.1", wireguard: "kernel" } as const;
const build = { version: "0.2.0", sha256: "b".repeat(64) };
const buildSha256 = "a".repeat(64);

test("takes who allows it, leaves out who has the agent, and says of the others why", () => {
  const machines = [
    { name: "ready", agent: { ...OLD, buildSha256, allowsUpgrades: true } },
    { name: "current", agent: { ...OLD, buildSha256: build.sha256, allowsUpgrades: true } },
    { name: "unwilling", agent: { ...OLD, buildSha256, allowsUpgrades: false } },
    { name: "ancient", agent: OLD },
    { name: "unheard", agent: null },
  ].map((machine) => ({ id: createMachineId(), ...machine }));
  expect(planRollout(machines, build).map(({ name, skipReason }) => `${name} ${skipReason}`)).toEqual([
    "ready null",
    "unwilling not_allowed",
    "ancient too_old",
    "unheard too_old",
  ]);
});
