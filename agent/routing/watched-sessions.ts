// Remembers whose sessions were watched by BFD until a moment ago: such a session ends its watch in two steps (BfdUse).
import type { MachineId } from "#schema/ids";
import type { BirdConfig } from "../bird/bird-config.ts";
import type { Clock } from "../system/clock.ts";

export interface WatchedSessions {
  wasWatched(id: MachineId): boolean;
  /** BIRD has this now. */
  note(config: BirdConfig): void;
  /** Until the next one is to be `off`; null: none is about to. */
  waitMs(): number | null;
}

/** For the neighbour to agree on the long interval, also over a slow path. */
const ENDING_MS = 10_000;

export function createWatchedSessions(clock: Clock): WatchedSessions {
  /** When the end began; null: watched. */
  const sessions = new Map<MachineId, number | null>();

  const isOver = (sinceMs: number | null) => sinceMs !== null && clock.now() - sinceMs >= ENDING_MS;

  return {
    wasWatched(id) {
      const sinceMs = sessions.get(id);
      return sinceMs !== undefined && !isOver(sinceMs);
    },
    note({ members }) {
      const before = new Map(sessions);
      sessions.clear();
      for (const { machineId, bfd } of members) {
        if (bfd === "on") sessions.set(machineId, null);
        else if (bfd === "ending") sessions.set(machineId, before.get(machineId) ?? clock.now());
      }
    },
    waitMs() {
      const ends = [...sessions.values()].flatMap((sinceMs) => (sinceMs === null ? [] : [sinceMs + ENDING_MS]));
      return ends.length === 0 ? null : Math.max(0, Math.min(...ends) - clock.now());
    },
  };
}
