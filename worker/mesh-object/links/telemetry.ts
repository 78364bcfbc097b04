// What members say of their peers while somebody looks. In memory only: a member is asked to tell for a while (telemetry.watch), and what
// it was not asked for is not kept.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import type { TelemetryReport, TelemetryWatch } from "#schema/wire/messages";

export interface Telemetry {
  /** A member's report. */
  heard(machineId: MachineId, report: TelemetryReport): void;
  /**
   * A fresh report, or a steady one as soon as it comes, or after `waitMs` the newest. `offline`: it is not connected; `silent`: it told
   * nothing in time.
   */
  read(machineId: MachineId, waitMs: number): Promise<Result<KeptReport, "offline" | "silent">>;
  /** The member said hello: whatever it was asked for on a connection before, it is asked for anew. */
  greeted(machineId: MachineId): void;
  /** Somebody watches this machine: it is asked, and again when that is due. */
  follow(machineId: MachineId): void;
  forget(machineId: MachineId): void;
  /** Members that somebody looks at, or did so within the last minute. */
  countWatched(): number;
}
export type KeptReport = Pick<TelemetryReport, "peers" | "endpoints" | "nat" | "announcements" | "isSteady"> & {
  readonly receivedAt: number;
};

/** As good as a new one: reports come every second. */
const FRESH_MS = 2_000;
const KEPT_MS = 60_000;
const WATCH_SECONDS = 30;
const WATCH_AGAIN_AFTER_MS = 10_000;

/** A machine with thousands of peers has about this many parts. */
const MAX_PARTS = 64;

interface Watched {
  watchedAt: number;
  report: KeptReport | null;
  /** Of the report that is coming. */
  parts: TelemetryReport[];
  readonly readers: Set<(report: KeptReport) => void>;
}

/** Whoever watches machines, in place of reading them again and again. */
export interface Followers {
  has(machineId: MachineId): boolean;
  /** Each steady report, as it comes. */
  deliver(machineId: MachineId, report: KeptReport): void;
}

export function createTelemetry({
  now,
  isOnline,
  tell,
  followers,
}: {
  now: () => number;
  isOnline: (machineId: MachineId) => boolean;
  tell: (machineId: MachineId, message: TelemetryWatch) => void;
  followers: Followers;
}): Telemetry {
  const watched = new Map<MachineId, Watched>();

  function watch(machineId: MachineId): Watched {
    const entry = watched.get(machineId) ?? newWatched();
    if (now() - entry.watchedAt >= WATCH_AGAIN_AFTER_MS) {
      tell(machineId, { type: "telemetry.watch", seconds: WATCH_SECONDS });
      entry.watchedAt = now();
    }
    watched.set(machineId, entry);
    return entry;
  }

  function dropOld(): void {
    for (const [machineId, { watchedAt, report, readers }] of watched) {
      const isOld = now() - Math.max(watchedAt, report?.receivedAt ?? 0) > KEPT_MS;
      if (isOld && readers.size === 0) watched.delete(machineId);
    }
  }

  function waitForSteady(entry: Watched, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        entry.readers.delete(reader);
        resolve();
      };
      const reader = (report: KeptReport) => {
        if (report.isSteady) finish();
      };
      const timer = setTimeout(finish, waitMs);
      entry.readers.add(reader);
    });
  }

  return {
    heard(machineId, part) {
      dropOld();
      const isFollowed = followers.has(machineId);
      // What is watched is asked for again as long as reports come, also by an object that slept meanwhile.
      const entry = isFollowed ? watch(machineId) : watched.get(machineId);
      if (entry === undefined) return;
      entry.parts.push(part);
      if (part.hasMore && entry.parts.length < MAX_PARTS) return;
      entry.report = { ...joinParts(entry.parts), receivedAt: now() };
      entry.parts = [];
      for (const reader of entry.readers) reader(entry.report);
      if (isFollowed && entry.report.isSteady) followers.deliver(machineId, entry.report);
    },
    follow(machineId) {
      dropOld();
      if (isOnline(machineId)) watch(machineId);
    },
    async read(machineId, waitMs) {
      dropOld();
      if (!isOnline(machineId)) return err("offline");
      const entry = watch(machineId);
      const isFresh = ({ report }: Watched, withinMs: number) =>
        report !== null && now() - report.receivedAt <= withinMs;
      if (!(isFresh(entry, FRESH_MS) && entry.report?.isSteady)) await waitForSteady(entry, waitMs);
      const { report } = entry;
      if (report !== null && isFresh(entry, Math.max(FRESH_MS, waitMs))) return ok(report);
      return err(isOnline(machineId) ? "silent" : "offline");
    },
    greeted(machineId) {
      const entry = watched.get(machineId);
      if (entry !== undefined) {
        entry.watchedAt = Number.NEGATIVE_INFINITY;
        entry.parts = [];
      }
      // Behind the answer to its hello.
      if (followers.has(machineId)) queueMicrotask(() => watch(machineId));
    },
    forget: (machineId) => void watched.delete(machineId),
    countWatched() {
      dropOld();
      return watched.size;
    },
  };
}

const newWatched = (): Watched => ({
  watchedAt: Number.NEGATIVE_INFINITY,
  report: null,
  parts: [],
  readers: new Set(),
});

const joinParts = (parts: readonly TelemetryReport[]): Omit<KeptReport, "receivedAt"> => ({
  peers: parts.flatMap(({ peers }) => peers),
  endpoints: parts.flatMap(({ endpoints }) => endpoints),
  announcements: parts.flatMap(({ announcements }) => announcements),
  nat: parts.find(({ nat }) => nat !== null)?.nat ?? null,
  isSteady: parts.every(({ isSteady }) => isSteady),
});
