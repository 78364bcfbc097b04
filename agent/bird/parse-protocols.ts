// `show protocols all`. Pure.
import { type BirdReply, parseTime, type ReplyLine, toParseError } from "./parse-reply.ts";

export interface BirdProtocol {
  readonly name: string;
  /** `BGP`, `Kernel`, `Static` …: BIRD's word. */
  readonly type: string;
  /** `up`, `start`, `down` …: BIRD's word. */
  readonly state: string;
  /** When it got into this state. */
  readonly sinceMs: number;
  /** Null for protocols of other types. */
  readonly session: BgpSession | null;
  readonly channels: readonly BirdChannel[];
}

export interface BgpSession {
  readonly state: BgpState;
  readonly neighbor: string | null;
  /** Why it is not, or was not, Established. */
  readonly lastError: string | null;
  /** It vanished, and its routes are kept until it is back or its time is over. */
  readonly isRestarting: boolean;
}

export const BGP_STATES = [
  "Idle",
  "Connect",
  "Active",
  "OpenSent",
  "OpenConfirm",
  "Established",
  "Close",
  // BIRD's own: not started, and waiting to be called.
  "Down",
  "Passive",
] as const;
export type BgpState = (typeof BGP_STATES)[number];

export interface BirdChannel {
  /** `ipv4` or `ipv6`; in other configurations than ours, others. */
  readonly name: string;
  readonly state: string;
  readonly importedCount: number;
  /** Refused by the import filter. */
  readonly filteredCount: number;
  readonly exportedCount: number;
}

const PROTOCOL_CODE = 1002;
const DETAIL_CODE = 1006;

export function parseProtocols(reply: BirdReply): BirdProtocol[] {
  const protocols: { head: ReplyLine; details: ReplyLine[] }[] = [];
  for (const line of reply.lines) {
    if (line.code === PROTOCOL_CODE) protocols.push({ head: line, details: [] });
    else if (line.code === DETAIL_CODE) protocols.at(-1)?.details.push(line);
  }
  return protocols.map(({ head, details }) => parseProtocol(head, details));
}

function parseProtocol(head: ReplyLine, details: readonly ReplyLine[]): BirdProtocol {
  const [name, type, , state, since] = head.text.trim().split(/\s+/);
  if (name === undefined || type === undefined || state === undefined) throw toParseError(head, "no protocol");
  const firstChannel = details.findIndex(({ text }) => isChannelHead(text));
  const own = firstChannel < 0 ? details : details.slice(0, firstChannel);
  return {
    name,
    type,
    state,
    sinceMs: parseTime(since, head),
    session: type === "BGP" ? parseSession(head, own) : null,
    channels: parseChannels(firstChannel < 0 ? [] : details.slice(firstChannel)),
  };
}

function parseSession(head: ReplyLine, details: readonly ReplyLine[]): BgpSession {
  const text = findValue(details, "BGP state");
  const state = BGP_STATES.find((known) => known === text);
  if (state === undefined) throw toParseError(head, `no BGP state ${JSON.stringify(text)}`);
  return {
    state,
    neighbor: findValue(details, "Neighbor address"),
    lastError: findValue(details, "Last error"),
    isRestarting: details.some((line) => /^\s*Neighbor graceful restart active$/.test(line.text)),
  };
}

function parseChannels(details: readonly ReplyLine[]): BirdChannel[] {
  const channels: ReplyLine[][] = [];
  for (const line of details) {
    if (isChannelHead(line.text)) channels.push([line]);
    else channels.at(-1)?.push(line);
  }
  return channels.map((lines) => {
    // Absent while the channel is down.
    const counts = findValue(lines, "Routes") ?? "";
    return {
      name: lines[0]?.text.trim().replace(/^Channel /, "") ?? "",
      state: findValue(lines, "State") ?? "",
      importedCount: toCount(counts, "imported"),
      filteredCount: toCount(counts, "filtered"),
      exportedCount: toCount(counts, "exported"),
    };
  });
}

const isChannelHead = (text: string): boolean => /^ {2}Channel /.test(text);

function findValue(lines: readonly ReplyLine[], key: string): string | null {
  const start = `${key}:`;
  const line = lines.find(({ text }) => text.trim().startsWith(start));
  return line === undefined ? null : line.text.trim().slice(start.length).trim();
}

const toCount = (counts: string, word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(counts)?.[1] ?? 0);
