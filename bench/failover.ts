// bench failover: for how long nobody answers when a VIP's holder, its service, a gateway or a path dies.
import { parseArgs } from "node:util";
import { FAILOVER_KINDS, type FailoverKind, withFailoverFleet } from "../e2e/fleet/failover.ts";
import { percentile } from "./lib/measure.ts";

export const summary =
  "failover   silence after a VIP's holder, its service, a gateway or a path died (--rounds 20 --kinds all); needs root";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const options = { rounds: { type: "string", default: "20" }, kinds: { type: "string", default: "all" } } as const;
  const { values } = parseArgs({ args: argv, options });
  const rounds = Number(values.rounds);
  const names: readonly string[] = values.kinds === "all" ? FAILOVER_KINDS : ["nothing", ...values.kinds.split(",")];
  const kinds = FAILOVER_KINDS.filter((kind) => names.includes(kind));
  const figures = new Map<FailoverKind, unknown>();
  await withFailoverFleet(async ({ measure }) => {
    for (const kind of kinds) {
      const silentMs = await measure(kind, rounds);
      process.stderr.write(`${kind}: ${silentMs.join(", ")} ms\n`);
      figures.set(kind, { p50: percentile(silentMs, 50), p95: percentile(silentMs, 95), silentMs });
    }
  });
  const ofDeaths = kinds.filter((kind) => kind !== "nothing").map((kind) => [`${kind}Ms`, figures.get(kind)]);
  return {
    ...{ bench: "failover", rounds },
    ...Object.fromEntries(ofDeaths),
    reference: { nothingMs: figures.get("nothing") },
  };
}
