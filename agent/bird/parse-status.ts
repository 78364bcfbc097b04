// `show status`. Pure.
import { type BirdReply, parseTime, toParseError } from "./parse-reply.ts";

export interface BirdStatus {
  readonly version: string;
  readonly routerId: string;
  readonly state: "running" | "reconfiguring" | "shutting_down";
  /** Times that BIRD tells may be a millisecond apart from one answer to the next. */
  readonly startedAtMs: number;
  readonly configuredAtMs: number;
}

export function parseStatus(reply: BirdReply): BirdStatus {
  const read = (pattern: RegExp) => {
    for (const line of reply.lines) {
      const match = pattern.exec(line.text);
      if (match !== null) return { line, text: match[1] ?? "" };
    }
    throw toParseError({ text: reply.message, lineNumber: reply.lines.length + 2 }, `no line ${pattern.source}`);
  };
  const readTime = (pattern: RegExp) => {
    const { line, text } = read(pattern);
    return parseTime(text, line);
  };
  return {
    version: read(/^BIRD (\S+)/).text,
    routerId: read(/^Router ID is (\S+)$/).text,
    state: toState(reply.message),
    startedAtMs: readTime(/^Last reboot on (.*)$/),
    configuredAtMs: readTime(/^Last reconfiguration on (.*)$/),
  };
}

/** While it recovers from a restart it also says so; it runs all the same. */
function toState(message: string): BirdStatus["state"] {
  if (/^Shutdown in progress/.test(message)) return "shutting_down";
  return /^Reconfiguration in progress/.test(message) ? "reconfiguring" : "running";
}
