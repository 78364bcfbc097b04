// Every default of the agent, in one place.
import { MACHINE_HEARTBEAT_INTERVAL_MS, MESH_HEARTBEAT_INTERVAL_MS, PING_INTERVAL_MS } from "#schema/limits";
import type { LinkTimings } from "./control/connection.ts";

export const DEFAULT_STATE_DIR = "/var/lib/becket";
export const DEFAULT_RUN_DIR = "/run/becket";
/** Where install.sh installs: installer/script/about.sh. */
export const DEFAULT_LIBRARY_DIR = "/usr/local/lib/becket";

export interface AgentTimings extends LinkTimings {
  readonly meshHeartbeatMs: number;
  readonly machineHeartbeatMs: number;
  /** Reports of what was applied are joined for this long. */
  readonly reportDebounceMs: number;
  /** Changes of the cache are joined for this long before they are written. */
  readonly cacheDelayMs: number;
  /** A failed write to disk is tried again after this long. */
  readonly cacheRetryMs: number;
}

export const DEFAULT_TIMINGS: AgentTimings = {
  openTimeoutMs: 15_000,
  pingIntervalMs: PING_INTERVAL_MS,
  pongTimeoutMs: 10_000,
  probeTimeoutMs: 3_000,
  postTimeoutMs: 15_000,
  pollSlackMs: 15_000,
  idlePollMs: 2_000,
  answerTimeoutMs: 30_000,
  // A control plane that is back has everybody within a quarter of a minute, however long it was away.
  backoff: { firstMs: 250, capMs: 10_000 },
  patientBackoff: { floorMs: 30_000, firstMs: 60_000, capMs: 300_000 },
  shortLifeMs: 5_000,
  firstWebSocketRetryMs: 15_000,
  webSocketRetryMs: 180_000,
  meshHeartbeatMs: MESH_HEARTBEAT_INTERVAL_MS,
  machineHeartbeatMs: MACHINE_HEARTBEAT_INTERVAL_MS,
  reportDebounceMs: 20,
  cacheDelayMs: 500,
  cacheRetryMs: 10_000,
};
