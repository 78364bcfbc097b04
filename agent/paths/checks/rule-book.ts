// The packet rules of all meshes of this machine, which are one nftables table: each mesh tells its part, the table is made of all.
import type { MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import type { PacketFilter } from "../../stun/packet-filter.ts";
import type { Lane } from "../../stun/packet-rules.ts";
import type { Clock } from "../../system/clock.ts";
import { isCommandError } from "../../system/exec.ts";
import type { Logger } from "../../system/logger.ts";

export interface RuleBook {
  /** Resolves when checks of this mesh leave from WireGuard's port, or can't. */
  setPort(meshId: MeshId, wireguardPort: number, probePort: number): Promise<void>;
  dropPort(meshId: MeshId): void;
  /** Replaces the lane to the same endpoint. */
  addLane(lane: Lane): Promise<void>;
  dropLane(lane: Pick<Lane, "wireguardPort" | "remote">): void;
  lanes(): readonly Lane[];
  /** Why checks can't leave from WireGuard's port; null when they do. */
  problem(): string | null;
  /** The same for the machine's report. */
  failure(): StepFailure | null;
  stop(): void;
}

interface Ports {
  readonly filter: PacketFilter;
  readonly clock: Clock;
  readonly log: Logger;
  /** `problem()` says something else from now on. */
  readonly onProblemChanged: () => void;
}

/** Also when all is well: somebody's `nft flush ruleset` takes the table along. Nothing is written then when it is still there. */
const AGAIN_MS = 60_000;

export function createRuleBook({ filter, clock, log, onProblemChanged }: Ports): RuleBook {
  const ports = new Map<MeshId, { wireguardPort: number; probePort: number }>();
  /** Lanes of an agent that was here before: traffic may be on them. */
  let lanes: readonly Lane[] = [];
  let isRead = false;
  let problem: string | null = null;
  let sinceMs = 0;
  let working: Promise<void> = Promise.resolve();
  let cancelAgain = () => {};
  let isStopped = false;

  function write(): Promise<void> {
    working = working.then(async () => {
      if (isStopped) return;
      try {
        if (!isRead) lanes = [...((await filter.read())?.lanes ?? []), ...lanes];
        isRead = true;
        await filter.set({ ports: [...ports.values()], lanes });
        settle(null);
      } catch (error) {
        settle(toProblem(error));
      }
      cancelAgain();
      if (!isStopped && ports.size > 0) cancelAgain = clock.setTimer(AGAIN_MS, writeAgain);
    });
    return working;
  }

  /** By now all meshes have told their ports: lanes of other ports are of a mesh that was left while no agent was here. */
  function writeAgain(): Promise<void> {
    const ours = new Set([...ports.values()].map(({ wireguardPort }) => wireguardPort));
    lanes = lanes.filter(({ wireguardPort }) => ours.has(wireguardPort));
    return write();
  }

  function settle(next: string | null): void {
    if (next !== null && problem === null) log.warn("checks can't leave from WireGuard's port", { problem: next });
    const isChanged = problem !== next;
    if (problem === null) sinceMs = clock.wall();
    problem = next;
    if (isChanged) onProblemChanged();
  }

  return {
    setPort(meshId, wireguardPort, probePort) {
      ports.set(meshId, { wireguardPort, probePort });
      return write();
    },
    dropPort(meshId) {
      const port = ports.get(meshId)?.wireguardPort;
      ports.delete(meshId);
      lanes = lanes.filter((lane) => lane.wireguardPort !== port);
      write();
    },
    addLane(lane) {
      lanes = [...lanes.filter((one) => !isSameWay(one, lane)), lane];
      return write();
    },
    dropLane(lane) {
      const kept = lanes.filter((one) => !isSameWay(one, lane));
      if (kept.length === lanes.length) return;
      lanes = kept;
      write();
    },
    lanes: () => lanes,
    problem: () => problem,
    failure: () =>
      problem === null
        ? null
        : {
            step: "packet_rules.set",
            code: "checks_unavailable",
            message: problem,
            since: new Date(sinceMs).toISOString(),
          },
    stop() {
      isStopped = true;
      cancelAgain();
    },
  };
}

const isSameWay = (
  one: Pick<Lane, "wireguardPort" | "remote">,
  other: Pick<Lane, "wireguardPort" | "remote">,
): boolean => one.wireguardPort === other.wireguardPort && one.remote === other.remote;

const CONSEQUENCE =
  "Until then NATs are not traversed from here: peers are reached where they need no hole, or by the relay.";

function toProblem(error: unknown): string {
  if (isCommandError(error) && error.exitCode === null && error.signal === null && !error.timedOut)
    return `nft is missing: install nftables. ${CONSEQUENCE}`;
  const message = error instanceof Error ? error.message : String(error);
  return `nftables takes no rules: ${message.slice(0, 600)}. ${CONSEQUENCE}`;
}
