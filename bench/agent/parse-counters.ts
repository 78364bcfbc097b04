// `nft --json list counters` as packets and bytes by name (libnftables-json(5)). Pure.
import { z } from "zod";

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

const Listing = z.object({
  nftables: z.array(
    z.object({
      counter: z.object({ name: z.string(), packets: z.number(), bytes: z.number() }).optional(),
    }),
  ),
});

export function parseCounters(text: string): Map<string, Count> {
  const { nftables } = Listing.parse(JSON.parse(text));
  return new Map(
    nftables.flatMap(({ counter }) =>
      counter === undefined ? [] : [[counter.name, { packets: counter.packets, bytes: counter.bytes }] as const],
    ),
  );
}
