// What `iperf3 --json` printed on the sending side, as numbers. Pure.
import { z } from "zod";

export interface IperfResult {
  /** What arrived, without the seconds that were left out. */
  readonly mbps: number;
  /** Segments that TCP sent again. */
  readonly retransmits: number;
}

const Report = z.union([
  z.object({ error: z.string() }),
  z.object({
    end: z.object({
      sum_sent: z.object({ retransmits: z.number().default(0) }),
      sum_received: z.object({ bits_per_second: z.number() }),
    }),
  }),
]);

export function parseIperf(text: string): IperfResult {
  const report = Report.parse(JSON.parse(text));
  if ("error" in report) throw new Error(`iperf3: ${report.error}`);
  const { sum_sent: sent, sum_received: received } = report.end;
  return { mbps: received.bits_per_second / 1e6, retransmits: sent.retransmits };
}
