// What our BIRDs put into the kernel, as it changes: `ip monitor` tells each change, and the whole table is read at the start, when something may
// have been missed, and now and then. Nothing runs while no mesh has anything to route.
import type { Clock } from "../system/clock.ts";
import { type Exec, isCommandError } from "../system/exec.ts";
import type { FollowProgram } from "../system/follow-program.ts";
import type { Logger } from "../system/logger.ts";
import { BIRD_PROTOCOL } from "./kernel-metric.ts";
import { createKnownRoutes, type Outcome } from "./known-routes.ts";
import {
  type Family,
  type KernelRoute,
  parseBirdRoutes,
  parseRouteEvent,
  type RouteEvent,
} from "./parse-bird-routes.ts";
import { MAX_ROUTES_CHARS } from "./parse-ip.ts";

export type { KernelRoute } from "./parse-bird-routes.ts";

export interface KernelRoutes {
  /** Whether any mesh of this machine may have routes. May be said again and again. */
  setActive(isActive: boolean): void;
  /** Of the mesh with this metric; the same list until one of them changes. Null: not read yet, so nothing is known. */
  routesOf(metric: number): readonly KernelRoute[] | null;
  stop(): void;
}

export interface KernelRoutesPorts {
  readonly exec: Exec;
  readonly followProgram: FollowProgram;
  readonly clock: Clock;
  readonly log: Logger;
  /** Some mesh's routes are others, or known for the first time. */
  readonly onChanged: () => void;
}

/** BIRD replaces an IPv6 route by removing it and adding another: the two belong together. */
const SETTLE_MS = 5;
/** Of thousands of routes the first must not wait for the last. */
const SETTLE_MAX_MS = 50;
const READ_INTERVAL_MS = 30_000;
/** `ip monitor` has its ears open by then; what came before it did is in this read. */
const FIRST_REREAD_MS = 1_000;
/** Between two reads that events asked for. */
const REREAD_MS = 200;
/** A monitor that printed nothing for so long has nothing left to print. */
const QUIET_MS = 200;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;
/** A monitor that lived this long was not at fault. */
const HEALTHY_MS = 30_000;

const FAMILIES: readonly (readonly [Family, string])[] = [
  ["ipv4", "-4"],
  ["ipv6", "-6"],
];
const MAIN_TABLE = "254";
/** Of a read that takes for ever. */
const MAX_JOURNAL = 50_000;

export function createKernelRoutes(ports: KernelRoutesPorts): KernelRoutes {
  const { log } = ports;
  let session: Session | null = null;
  let isStopped = false;

  return {
    setActive(isActive) {
      if (isStopped || isActive === (session !== null)) return;
      log.debug(isActive ? "following the kernel's routes" : "the kernel's routes are of no interest any more");
      session?.stop();
      session = isActive ? followRoutes(ports) : null;
    },
    routesOf: (metric) => session?.routesOf(metric) ?? null,
    stop() {
      isStopped = true;
      session?.stop();
    },
  };
}

type Session = Pick<KernelRoutes, "routesOf" | "stop">;

function followRoutes({ exec, followProgram, clock, log, onChanged }: KernelRoutesPorts): Session {
  const known = createKnownRoutes();
  let isRead = false;
  let isOver = false;
  /** What came while a read is under way: the read may be older or newer than it. */
  let journal: RouteEvent[] | null = null;
  let isRereadWanted = false;
  /**
   * The kernel drops what a monitor's full socket can't take, and says so once: what it drops after that, until the socket is empty, is lost without
   * a word. So a read counts only when the monitor was quiet before it.
   */
  let isInDoubt = false;
  let lastLineAtMs = 0;
  let failedReads = 0;
  let failedMonitors = 0;
  let changedAtMs: number | null = null;
  let stopMonitor = () => {};
  let cancelMonitor = () => {};
  let cancelRead = () => {};
  let cancelNotice = () => {};

  function startMonitor(): void {
    const startedAtMs = clock.now();
    stopMonitor = followProgram(["ip", "-N", "-oneline", "-details", "monitor", "route"], {
      onLine: take,
      onComplaint(text) {
        log.warn("the kernel's routes are read again", { because: text });
        isInDoubt = true;
        lastLineAtMs = clock.now();
        rereadSoon();
      },
      onEnd(reason) {
        if (clock.now() - startedAtMs > HEALTHY_MS) failedMonitors = 0;
        log.warn("ip monitor ended", { reason });
        cancelMonitor();
        cancelMonitor = clock.setTimer(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failedMonitors), startMonitor);
        failedMonitors++;
      },
    });
    cancelMonitor = clock.setTimer(FIRST_REREAD_MS, read);
    read();
  }

  function take(line: string): void {
    if (isInDoubt) lastLineAtMs = clock.now();
    try {
      const event = parseRouteEvent(line);
      if (event === null) return;
      if (journal !== null && journal.length < MAX_JOURNAL) journal.push(event);
      else if (journal !== null) isRereadWanted = true;
      heed([known.apply(event)]);
    } catch (error) {
      log.warn("a line of ip monitor is not understood", { error });
      rereadSoon();
    }
  }

  function heed(outcomes: Iterable<Outcome>): void {
    for (const outcome of outcomes) {
      if (outcome === "unclear") rereadSoon();
      // Until all are known, some that came are worth nothing.
      if (outcome === "changed" && isRead) noticeSoon();
    }
  }

  function rereadSoon(): void {
    if (isRereadWanted) return;
    isRereadWanted = true;
    if (journal !== null) return;
    cancelRead();
    cancelRead = clock.setTimer(REREAD_MS, read);
  }

  function read(): void {
    if (isOver) return;
    if (journal !== null) {
      isRereadWanted = true;
      return;
    }
    isRereadWanted = isInDoubt && clock.now() - lastLineAtMs < QUIET_MS;
    isInDoubt &&= isRereadWanted;
    journal = [];
    readAll(exec)
      .then(
        (routes) => {
          const outcomes = known.replace(routes, journal ?? []);
          const isFirst = !isRead;
          isRead = true;
          failedReads = 0;
          journal = null;
          if (isOver) return;
          if (isFirst) noticeSoon();
          heed(outcomes);
        },
        (error: unknown) => {
          journal = null;
          if (failedReads === 0 && !isOver) log.warn("the kernel's routes could not be read", { error });
          failedReads++;
        },
      )
      .finally(scheduleRead);
  }

  function scheduleRead(): void {
    if (isOver) return;
    const retryMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failedReads);
    const isEarly = isRereadWanted || failedReads > 0;
    cancelRead();
    cancelRead = clock.setTimer(isEarly ? Math.max(REREAD_MS, retryMs) : READ_INTERVAL_MS, read);
  }

  function noticeSoon(): void {
    const nowMs = clock.now();
    changedAtMs ??= nowMs;
    cancelNotice();
    cancelNotice = clock.setTimer(Math.max(0, Math.min(SETTLE_MS, changedAtMs + SETTLE_MAX_MS - nowMs)), () => {
      changedAtMs = null;
      onChanged();
    });
  }

  startMonitor();
  return {
    routesOf: (metric) => (isRead ? known.routesOf(metric) : null),
    stop() {
      isOver = true;
      stopMonitor();
      for (const cancel of [cancelMonitor, cancelRead, cancelNotice]) cancel();
    },
  };
}

async function readAll(exec: Exec): Promise<KernelRoute[]> {
  const read = async ([family, option]: (typeof FAMILIES)[number]) => {
    const what = ["route", "show", "table", MAIN_TABLE, "proto", String(BIRD_PROTOCOL)];
    try {
      const { stdout } = await exec.run(["ip", "-N", option, "-json", ...what], { maxOutputChars: MAX_ROUTES_CHARS });
      return parseBirdRoutes(stdout, family);
    } catch (error) {
      // A kernel without IPv6 has no IPv6 routes.
      if (family === "ipv6" && isCommandError(error) && /not supported/.test(error.stderrTail)) return [];
      throw error;
    }
  };
  return (await Promise.all(FAMILIES.map(read))).flat();
}
