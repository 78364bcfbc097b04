// bench roaming: for how long traffic on a direct path rests when a network under it changes.
import { parseArgs } from "node:util";
import { measureOutages, NETWORK_CHANGES, type NetworkChange } from "../e2e/fleet/roaming.ts";
import { percentile } from "./lib/measure.ts";

export const summary =
  "roaming    traffic after a NAT's reboot, another address, IPv6 gone or come (--rounds 10); needs root";

/** What the measurement itself loses. */
const UNCHANGED: NetworkChange = { between: ["alice", "carol"], make: async () => undefined };

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: argv, options: { rounds: { type: "string", default: "10" } } });
  const rounds = Number(values.rounds);
  const measure = async (name: string, change: NetworkChange) => {
    const outagesMs = await measureOutages(change, rounds);
    process.stderr.write(`${name}: ${outagesMs.join(", ")} ms\n`);
    return { p50Ms: percentile(outagesMs, 50), p95Ms: percentile(outagesMs, 95), outagesMs };
  };
  const unchanged = await measure("unchanged", UNCHANGED);
  const changes: Record<string, unknown> = {};
  for (const [name, change] of Object.entries(NETWORK_CHANGES)) changes[name] = await measure(name, change);
  return { bench: "roaming", rounds, ...changes, reference: { unchanged } };
}
