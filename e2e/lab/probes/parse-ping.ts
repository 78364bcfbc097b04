// What iputils' ping printed, as numbers. Pure.

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** How many were lost in a row, each time. */
  readonly gaps: readonly number[];
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
  const answered = new Set(replies.map((reply) => reply.sequence));
  const last = Math.max(0, ...answered);
  const sent = last > 0 && transmitted - last <= settle ? last : transmitted;
  const timesMs = replies.map((reply) => reply.timeMs);
  return { sent, received: answered.size, lost: sent - answered.size, gaps: toGaps(answered, sent), timesMs };
}

function toGaps(answered: ReadonlySet<number>, sent: number): number[] {
  const gaps: number[] = [];
  for (let sequence = 1, before = 0; sequence <= sent + 1; sequence++) {
    if (sequence <= sent && !answered.has(sequence)) continue;
    if (sequence - before > 1) gaps.push(sequence - before - 1);
    before = sequence;
  }
  return gaps;
}

/** The answers seen so far; also while ping is running. Duplicates are left out. */
export function parseReplies(output: string): { sequence: number; timeMs: number }[] {
  // Errors also carry a sequence ("From 192.0.2.1 icmp_seq=3 Destination Host Unreachable"): only answers have bytes.
  return [...output.matchAll(/^\d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms(.*)$/gm)]
    .filter((match) => !match[3]?.includes("DUP"))
    .map((match) => ({ sequence: Number(match[1]), timeMs: Number(match[2]) }));
}
