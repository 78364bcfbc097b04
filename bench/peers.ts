// bench peers: Becket beside WireGuard by hand and the mesh VPNs that Debian packages, in one lab and one run.
//
//   alice ── home (easy NAT) ── internet ── dave          measured between these two
//                                  ├ carol                lighthouse, hub
//                                  └ control              Becket's control plane
import { parseArgs } from "node:util";
import { createFleet } from "../e2e/fleet/fleet.ts";
import { installDebianPackages } from "../scripts/bootstrap/debian-packages.mjs";
import { median, percentile, round } from "./lib/measure.ts";
import { startBecket } from "./peers/becket.ts";
import { startHandMade } from "./peers/hand-made.ts";
import { type BySystem, measureJoins, measureMemory, measureNatReboots, measureThroughput } from "./peers/measure.ts";
import { startNebula } from "./peers/nebula.ts";
import type { SystemName } from "./peers/system.ts";
import { startTinc } from "./peers/tinc.ts";

const PACKAGES = { nebula: "nebula", "nebula-cert": "nebula", tincd: "tinc" };

export const summary =
  "peers      beside WireGuard by hand, nebula and tinc (--joins 10 --runs 5 --seconds 4 --reboots 5); needs root";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      joins: { type: "string", default: "10" },
      runs: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
      reboots: { type: "string", default: "5" },
    },
  });
  await installDebianPackages({ withBrowser: false, others: PACKAGES });
  const topology = {
    lans: [{ name: "home", nat: "easy" as const }],
    machines: [{ name: "alice", lan: "home" }, { name: "carol" }, { name: "dave" }],
  };
  await using fleet = await createFleet({ topology });
  const [alice, carol, dave] = [fleet.lab.machine("alice"), fleet.lab.machine("carol"), fleet.lab.machine("dave")];
  const machines = { alice, carol, dave };
  const systems = [
    await startHandMade(machines),
    await startBecket(fleet),
    await startNebula(machines),
    await startTinc(machines),
  ];
  const joins = await measureJoins(machines, systems, Number(values.joins));
  const memory = await measureMemory(machines, systems);
  const throughput = await measureThroughput(machines, systems, {
    rounds: Number(values.runs),
    seconds: Number(values.seconds),
  });
  const outages = await measureNatReboots(fleet.lab, machines, systems, Number(values.reboots));
  const byHand = throughput.get("handMade") ?? [];
  const toRow = ({ name, version, knows }: (typeof systems)[number]) => ({
    ...{ name, version, knows },
    joinToFirstPingMs: toPercentiles(joins, name),
    throughputMbps: round(median(throughput.get(name) ?? []), 0),
    // Of runs right after each other: by hand first, whatever the machine does between the rounds.
    throughputToHandMade: round(median((throughput.get(name) ?? []).map((mbps, run) => mbps / (byHand[run] ?? 0))), 2),
    natRebootMs: toPercentiles(outages, name),
    idleMemoryMb: round(memory.get(name) ?? 0, 1),
  });
  return { bench: "peers", systems: systems.map(toRow), runs: toRuns({ joins, throughput, outages }) };
}

const toPercentiles = (values: BySystem<number[]>, name: SystemName) => ({
  p50: percentile(values.get(name) ?? [], 50),
  p95: percentile(values.get(name) ?? [], 95),
});

const toRuns = (all: Readonly<Record<string, BySystem<number[]>>>) =>
  Object.fromEntries(
    Object.entries(all).map(([what, values]) => [
      what,
      Object.fromEntries([...values].map(([name, list]) => [name, list.map((value) => round(value, 0))])),
    ]),
  );
