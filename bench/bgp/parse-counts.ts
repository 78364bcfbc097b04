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
