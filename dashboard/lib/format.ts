// Numbers and moments as people read them. English; units with a space, as in the agent's own output.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `now`, `12 s`, `3 min`, `4 h`, `9 d`. A moment ahead (clocks differ) is `now`. */
export function formatAge(fromMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - fromMs) / 1_000);
  return seconds < 2 ? "now" : formatSeconds(seconds);
}

/** The largest unit that fits: `45 s`, `10 min`, `3 h`, `2 d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

/** How long until then: `in 9 min`, or `ended` when it is over. */
export const formatUntil = (atMs: number, nowMs: number): string =>
  atMs <= nowMs ? "ended" : `in ${formatSeconds(Math.max(1, (atMs - nowMs) / 1_000))}`;

/** `0.4 ms`, `12.5 ms`, `130 ms`. */
export function formatMs(ms: number): string {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** `0 %`, `0.4 %`, `12 %` */
export function formatRatio(ratio: number): string {
  const percent = ratio * 100;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** Bits per second, as networks are measured: `0`, `950 bit/s`, `12.0 kbit/s`, `1.2 Gbit/s`. */
export function formatBitRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  if (bits < 1) return "0";
  const exponent = Math.min(3, Math.floor(Math.log10(bits) / 3));
  const value = bits / 1_000 ** exponent;
  return `${exponent === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BIT_UNITS[exponent]}`;
}
const BIT_UNITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];

// Made when they are used first: each takes some ten milliseconds, and the first page may need none of them.
let countFormat: Intl.NumberFormat | undefined;
let momentFormat: Intl.DateTimeFormat | undefined;

/** `65,534` */
export function formatCount(count: number): string {
  if (count < 1_000) return String(count);
  countFormat ??= new Intl.NumberFormat("en");
  return countFormat.format(count);
}

/** `1 machine`, `1,200 machines` */
export const formatQuantity = (count: number, noun: string, plural = `${noun}s`): string =>
  `${formatCount(count)} ${count === 1 ? noun : plural}`;

/** `26 Nov 2026, 14:03:20`, in the reader's own time zone. */
export function formatMoment(text: string): string {
  momentFormat ??= new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return momentFormat.format(Date.parse(text));
}
