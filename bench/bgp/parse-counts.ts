// What BIRD and the kernel say in few words, so that many of them can be asked often. Pure.
import type { BirdReply } from "../../agent/bird/parse-reply.ts";

/** `/proc/PID/net/route`: fields are interface, destination, gateway, flags, two counters, metric. */
export const countIpv4Routes = (text: string, metric: number): number =>
  toRows(text).filter((fields) => fields[6] === String(metric)).length;

/** `/proc/PID/net/ipv6_route`: destination, source and next hop with lengths of the first two, then the metric; in hexadecimal digits. */
export const countIpv6Routes = (text: string, metric: number): number =>
  toRows(text).filter((fields) => Number.parseInt(fields[5] ?? "", 16) === metric).length;

const toRows = (text: string): string[][] => text.split("\n").map((line) => line.trim().split(/\s+/));

/** Times, in seconds since the epoch, when each session that is Established came up. Of `show protocols`. */
export function parseEstablished(reply: BirdReply): number[] {
  return reply.lines.flatMap(({ text }) => {
    const [, since] = /^\S+\s+BGP\s+\S+\s+up\s+(\d+\.\d+)\s+Established\s*$/.exec(text) ?? [];
    return since === undefined ? [] : [Number(since)];
  });
}

/** `/proc/PID/smaps_rollup`, in MiB. Pss: a page that n processes share counts for each of them as 1/n of a page. */
export function parseMemory(text: string): { readonly rssMb: number; readonly pssMb: number } {
  const read = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (kib === undefined) throw new Error(`no ${name}: the process has ended`);
    return Number(kib) / 1_024;
  };
  return { rssMb: read("Rss"), pssMb: read("Pss") };
}
