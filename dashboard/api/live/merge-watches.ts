import type { WatchedMachine } from "#schema/live/messages";
import { MAX_EXPLAINED_PEERS, MAX_WATCHED_MACHINES } from "#schema/live/pace";

/**
 * What several parts of a page watch, as one socket may say it: each machine once. Beyond the limits the newest stay, as the others are what was
 * left a moment ago.
 * @param watches the oldest first
 */
export function mergeWatches(watches: readonly WatchedMachine[]): WatchedMachine[] {
  const peers = new Map<WatchedMachine["machineId"], WatchedMachine["explain"]>();
  for (const { machineId, explain } of watches.toReversed()) {
    peers.set(machineId, [...(peers.get(machineId) ?? []), ...explain]);
  }
  return [...peers].slice(0, MAX_WATCHED_MACHINES).map(([machineId, explain]) => ({
    machineId,
    explain: [...new Set(explain)].slice(0, MAX_EXPLAINED_PEERS),
  }));
}
