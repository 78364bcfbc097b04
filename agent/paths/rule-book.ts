// The packet rules of all meshes of this machine, which are one nftables table: each mesh tells its part, the table is made of all.
import type { MeshId } from "#schema/ids";
import type { PacketFilter } from "../stun/packet-filter.ts";
import type { Lane } from "../stun/packet-rules.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";

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
  stop(): void;
}

interface Ports {
  readonly filter: PacketFilter;
  readonly clock: Clock;
  readonly log: Logger;
  /** `problem()` says something else from now on. */
  readonly onProblemChanged: () => void;
}

const RETRY_MS = 60_000;

export function createRuleBook({ filter, clock, log, onProblemChanged }: Ports): RuleBook {
  const ports = new Map<MeshId, { wireguardPort: number; probePort: number }>();
  /** Lanes of an agent that was here before: traffic may be on them. */
  let lanes: readonly Lane[] = [];
  let isRead = false;
  let problem: string | null = null;
  let working: Promise<void> = Promise.resolve();
  let cancelRetry = () => {};
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
        settle(error instanceof Error ? error.message : String(error));
        cancelRetry();
        cancelRetry = clock.setTimer(RETRY_MS, write);
      }
    });
    return working;
  }

  function settle(next: string | null): void {
    if (next !== null && problem === null) log.warn("checks can't leave from WireGuard's port", { problem: next });
    const isChanged = problem !== next;
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
    stop() {
      isStopped = true;
      cancelRetry();
    },
  };
}

const isSameWay = (
  one: Pick<Lane, "wireguardPort" | "remote">,
  other: Pick<Lane, "wireguardPort" | "remote">,
): boolean => one.wireguardPort === other.wireguardPort && one.remote === other.remote;
