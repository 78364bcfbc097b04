// Tells one mesh what the health checks of this machine say: all of it on a new connection, then what turned, at most once a second. While
// a check goes on failing, what it finds may change: that alone is told once a minute. Nothing is told because time passes.
import { type CheckState, MAX_CHECK_STATES } from "#schema/announcement-state";
import type { AnnouncementId } from "#schema/desired-state";
import type { ChecksReport } from "#schema/wire/messages";
import type { Clock } from "../system/clock.ts";

export interface CheckReports {
  /** All checks of this mesh as they are. */
  set(checks: readonly CheckState[]): void;
  /** A new connection began: its other end knows nothing. */
  forgetTold(): void;
  /** The other end may be told. */
  tell(): void;
  stop(): void;
}

export interface CheckReportsOptions {
  readonly clock: Clock;
  readonly isConnected: () => boolean;
  readonly send: (report: ChecksReport) => void;
}

const EVERY_MS = 1_000;
const TEXT_EVERY_MS = 60_000;
/** With all others in one message it has to fit into 64 KB. */
const MAX_TEXT_LENGTH = 200;

interface Told {
  readonly check: CheckState;
  readonly atMs: number;
}

export function createCheckReports({ clock, isConnected, send }: CheckReportsOptions): CheckReports {
  /** Null: they are not known yet. */
  let checks: readonly CheckState[] | null = null;
  /** The other end may have kept something of before, told by the agent before this one. */
  let mayBeKept = true;
  /** Null: nothing yet on this connection. */
  let told: Map<AnnouncementId, Told> | null = null;
  let readyAtMs = Number.NEGATIVE_INFINITY;
  let cancel = () => {};

  /** When the check is to be told; null: the other end knows it as it is. */
  function dueAtMs(check: CheckState): number | null {
    const before = told?.get(check.id);
    if (before === undefined || before.check.status !== check.status) return readyAtMs;
    if (toWords(before.check) === toWords(check)) return null;
    return Math.max(readyAtMs, before.atMs + TEXT_EVERY_MS);
  }

  function tell(): void {
    cancel();
    if (!isConnected() || checks === null) return;
    if (checks.length === 0) {
      tellOfNone();
      return;
    }
    const waiting = checks.flatMap((check) => {
      const atMs = dueAtMs(check);
      return atMs === null ? [] : [{ check, atMs }];
    });
    const nowMs = clock.now();
    const due = waiting.filter(({ atMs }) => atMs <= nowMs).map(({ check }) => check);
    const nextAtMs = Math.min(...waiting.map(({ atMs }) => atMs).filter((atMs) => atMs > nowMs));
    if (due.length > 0) sendAll(due, nowMs);
    if (Number.isFinite(nextAtMs)) cancel = clock.setTimer(Math.max(nextAtMs, readyAtMs) - nowMs, tell);
  }

  /** Once: a connection without checks costs no message. */
  function tellOfNone(): void {
    if (told === null && mayBeKept) send({ type: "checks.report", checks: [], isAll: true });
    if (told === null) mayBeKept = false;
    told ??= new Map();
  }

  function sendAll(due: readonly CheckState[], nowMs: number): void {
    const isAll = told === null;
    mayBeKept = true;
    told ??= new Map();
    for (let from = 0; from < due.length; from += MAX_CHECK_STATES) {
      const part = due.slice(from, from + MAX_CHECK_STATES);
      send({ type: "checks.report", checks: part.map(shorten), isAll: isAll && from === 0 });
    }
    for (const check of due) told.set(check.id, { check, atMs: nowMs });
    readyAtMs = nowMs + EVERY_MS;
  }

  return {
    set(next) {
      checks = next;
      const ids = new Set(next.map(({ id }) => id));
      for (const id of told?.keys() ?? []) if (!ids.has(id)) told?.delete(id);
      tell();
    },
    forgetTold() {
      told = null;
    },
    tell,
    stop: () => cancel(),
  };
}

const shorten = (check: CheckState): CheckState => ({
  ...check,
  text: check.text?.slice(0, MAX_TEXT_LENGTH) ?? null,
});

/** Times, ports and counts in it may be others each time. */
const toWords = ({ status, text }: CheckState): string | null =>
  status === "healthy" ? null : (text?.replace(/\d+/g, "0") ?? null);
