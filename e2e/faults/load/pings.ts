// A ping between each two machines, and one into the network behind dora, for as long as a round lasts.
import { type RunningPing, startPing } from "../../lab/probes/ping.ts";
import { ANNOUNCER, type FaultFleet, NETWORK, type Pair, SMALL_DISK } from "../kinds/fault.ts";
import type { PairLoss } from "../result.ts";
import { toPairs } from "./fault-fleet.ts";

const INTERVAL_MS = 50;

export interface Pings {
  /** Answers of each so far. */
  received(): number[];
  stop(): Promise<PairLoss[]>;
}

export async function startPings({ fleet, addresses }: FaultFleet): Promise<Pings> {
  const behind: Pair = [SMALL_DISK, ANNOUNCER];
  const plan = [
    ...toPairs().map((pair) => ({ pair, to: pair[1], address: addresses.get(pair[1])?.ipv4 ?? "" })),
    { pair: behind, to: NETWORK.prefix, address: NETWORK.address },
  ];
  const running: { pair: Pair; to: string; pings: RunningPing }[] = [];
  for (const { pair, to, address } of plan)
    running.push({
      ...{ pair, to },
      pings: await startPing(fleet.lab.machine(pair[0]), address, { intervalMs: INTERVAL_MS }),
    });
  return {
    received: () => running.map(({ pings }) => pings.received()),
    stop: () =>
      Promise.all(
        running.map(async ({ pair, to, pings }) => {
          const { sent, lost, gaps, gapsAfterMs } = await pings.stop();
          const longestGapMs = Math.max(0, ...gaps) * INTERVAL_MS;
          return {
            pair: [...pair],
            to,
            sent,
            lost,
            longestGapMs,
            gapsAfterMs: gapsAfterMs.filter((ms) => ms !== null),
          };
        }),
      ),
  };
}
