// BIRD's control protocol, as birdc speaks it (doc/reply_codes in its sources). A reply is lines `NNNN-text`, or ` text` where the number is that
// of the line before, and ends with `NNNN text`. The first thing said on a connection is a reply of its own: the greeting. Pure.
import { ParseError } from "../system/parse-error.ts";

export interface BirdReply {
  /** Of its last line: 8000 and more are failures, 9000 and more are commands that it does not understand. */
  readonly code: number;
  /** Of its last line. */
  readonly message: string;
  readonly lines: readonly ReplyLine[];
}

export interface ReplyLine {
  readonly code: number;
  readonly text: string;
  /** Counts from 1, the greeting included. */
  readonly lineNumber: number;
}

const SOURCE = "BIRD's answer";
const LAST_LINE = /^(\d{4}) (.*)$/;

/** True when a greeting and one reply came whole. */
export function isWholeReply(received: string): boolean {
  if (!received.endsWith("\n")) return false;
  const start = received.lastIndexOf("\n", received.length - 2) + 1;
  return start > 0 && LAST_LINE.test(received.slice(start, -1));
}

/** @param received a greeting and one reply */
export function parseReply(received: string): BirdReply {
  const [greeting = "", ...rest] = received.replace(/\n$/, "").split("\n");
  if (!greeting.startsWith("0001 "))
    throw new ParseError({ source: SOURCE, line: 1, text: greeting, problem: "no greeting" });
  const lines: ReplyLine[] = [];
  for (const [index, text] of rest.entries()) {
    const lineNumber = index + 2;
    const last = LAST_LINE.exec(text);
    if (last !== null && index === rest.length - 1) return { code: Number(last[1]), message: last[2] ?? "", lines };
    const first = /^(\d{4})-(.*)$/.exec(text);
    const before = lines.at(-1);
    if (first !== null) lines.push({ code: Number(first[1]), text: first[2] ?? "", lineNumber });
    else if (text.startsWith(" ") && before !== undefined)
      lines.push({ code: before.code, text: text.slice(1), lineNumber });
    // `+text`: a log line for whoever asked to hear them.
    else if (!text.startsWith("+")) throw toParseError({ text, lineNumber }, "no line of a reply");
  }
  throw new ParseError({ source: SOURCE, line: rest.length + 1, text: rest.at(-1) ?? "", problem: "no end" });
}

export function toParseError(
  { text, lineNumber }: Pick<ReplyLine, "text" | "lineNumber">,
  problem: string,
): ParseError {
  return new ParseError({ source: SOURCE, line: lineNumber, text, problem });
}

/** Of our `timeformat`: seconds since the epoch, with milliseconds. */
export function parseTime(text: string | undefined, line: ReplyLine): number {
  const match = /^(\d{1,12})\.(\d{3})$/.exec(text ?? "");
  if (match === null) throw toParseError(line, "a time that is not in our format");
  return Number(match[1]) * 1_000 + Number(match[2]);
}
