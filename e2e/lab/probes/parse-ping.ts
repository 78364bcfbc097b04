// What iputils' ping printed, as numbers. Pure.

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** How many were lost in a row, each time. */
  readonly gaps: readonly number[];
  /** When the last answer before each gap came, milliseconds since the epoch; null: there was none, or ping printed no times (`-D`). */
  readonly gapsAfterMs: readonly (number | null)[];
  /** Round-trip times in the order of arrival. */
  readonly timesMs: readonly number[];
}

/**
 * `settle`: how many packets at the end may be unanswered because ping was stopped while they were on their way; these
 * count as not sent. A longer silence at the end is loss, and so is every gap before the last answer.
 */
export function parsePing(output: string, { settle = 0 } = {}): PingResult {
  const summary = /(\d+) packets transmitted, \d+ received/.exec(output);
  if (!summary) throw new Error(`no summary of ping in: ${output.slice(-500)}`);
  const transmitted = Number(summary[1]);
  const replies = parseReplies(output);
  const answered = new Map(replies.map((reply) => [reply.sequence, reply.atMs]));
  const last = Math.max(0, ...answered.keys());
  const sent = last > 0 && transmitted - last <= settle ? last : transmitted;
  const timesMs = replies.map((reply) => reply.timeMs);
  const gaps = toGaps(answered, sent);
  return {
    ...{ sent, received: answered.size, lost: sent - answered.size, timesMs },
    gaps: gaps.map(({ lost }) => lost),
    gapsAfterMs: gaps.map(({ afterMs }) => afterMs),
  };
}

function toGaps(answered: ReadonlyMap<number, number | null>, sent: number) {
  const gaps: { lost: number; afterMs: number | null }[] = [];
  for (let sequence = 1, before = 0; sequence <= sent + 1; sequence++) {
    if (sequence <= sent && !answered.has(sequence)) continue;
    if (sequence - before > 1) gaps.push({ lost: sequence - before - 1, afterMs: answered.get(before) ?? null });
    before = sequence;
  }
  return gaps;
}

/** The answers seen so far; also while ping is running. Duplicates are left out. */
export function parseReplies(output: string): { sequence: number; timeMs: number; atMs: number | null }[] {
  // Errors also carry a sequence ("From 192.0.2.1 icmp_seq=3 Destination Host Unreachable"): only answers have bytes.
  return [...output.matchAll(/^(?:\[([\d.]+)\] )?\d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms(.*)$/gm)]
    .filter(([, , , , rest]) => !rest?.includes("DUP"))
    .map(([, seconds, sequence, timeMs]) => ({
      ...{ sequence: Number(sequence), timeMs: Number(timeMs) },
      atMs: seconds === undefined ? null : Math.round(Number(seconds) * 1_000),
    }));
}
