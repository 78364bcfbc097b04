// The measurements, each of all systems in turn: whatever else the machine does meanwhile hits all of them.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pingOnce } from "../../e2e/fleet/reach.ts";
import type { Lab } from "../../e2e/lab/lab.ts";
import type { LabNode } from "../../e2e/lab/node.ts";
import { eventually } from "../../e2e/lab/probes/eventually.ts";
import { awaitFirstAnswers } from "../../e2e/lab/probes/first-answers.ts";
import { startPing } from "../../e2e/lab/probes/ping.ts";
import { type IperfResult, parseIperf } from "../datapath/parse-iperf.ts";
import { parseMemory } from "../lib/parse-proc.ts";
import type { Machines, MeshSystem, SystemName } from "./system.ts";

export type BySystem<T> = Map<SystemName, T>;

const JOIN_LIMIT_MS = 120_000;
const PING_MS = 50;
/** Longer than the keepalive of each of them. */
const BACK_LIMIT_MS = 180_000;
const WARM_UP_SECONDS = 1;
/** Nobody sends anything: what was only needed to begin is given back. */
const REST_MS = 20_000;

/** From alice's first command until dave has answered her, in ms. */
export async function measureJoins(machines: Machines, systems: readonly MeshSystem[], rounds: number) {
  const times: BySystem<number[]> = new Map(systems.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const system of rotate(systems, round)) {
      await system.leave();
      const dave = await system.addressOf("dave");
      const startedAtMs = Date.now();
      await system.join();
      const answers = await awaitFirstAnswers(machines.alice, [dave], { withinMs: JOIN_LIMIT_MS });
      times.get(system.name)?.push((answers.get(dave) ?? 0) - startedAtMs);
    }
    tell(`join ${round + 1}`, times);
  }
  return times;
}

/** From alice to dave, one system at a time. */
export async function measureThroughput(machines: Machines, systems: readonly MeshSystem[], plan: Throughput) {
  const results: BySystem<number[]> = new Map(systems.map(({ name }) => [name, []]));
  await machines.dave.spawn(["iperf3", "--server"]);
  await eventually(async () => (await machines.dave.exec(["ss", "-Hltn", "sport = :5201"])).stdout !== "", {
    withinMs: 5_000,
    describe: "iperf3 listens",
  });
  for (let round = 0; round < plan.rounds; round++) {
    for (const system of rotate(systems, round)) {
      const { mbps } = await iperf(machines.alice, await system.addressOf("dave"), plan.seconds);
      results.get(system.name)?.push(mbps);
    }
    tell(`throughput ${round + 1}`, results);
  }
  return results;
}

interface Throughput {
  readonly rounds: number;
  readonly seconds: number;
}

async function iperf(from: LabNode, address: string, seconds: number): Promise<IperfResult> {
  const argv = ["iperf3", "--json", "--omit", String(WARM_UP_SECONDS), "--time", String(seconds), "--client", address];
  const { stdout } = await from.exec(argv, { timeoutMs: (seconds + 30) * 1_000, allowFailure: true });
  return parseIperf(stdout);
}

/**
 * alice's router forgets all mappings and gives away other ports. For how long dave gets no answer from her then, in ms: she sends nothing of her
 * own but what the system has her send, so it is up to the system to notice. All at once: it is one reboot.
 */
export async function measureNatReboots(lab: Lab, machines: Machines, systems: readonly MeshSystem[], rounds: number) {
  const outages: BySystem<number[]> = new Map(systems.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const running = await Promise.all(
      systems.map(async (system) => {
        await untilAnswers(machines.alice, await system.addressOf("dave"), system);
        const address = await system.addressOf("alice");
        await untilAnswers(machines.dave, address, system);
        return { system, pings: await startPing(machines.dave, address, { intervalMs: PING_MS }) };
      }),
    );
    await Promise.all(running.map(({ pings }) => untilMore(pings, 20)));
    await lab.rebootNat("home");
    await Promise.all(
      running.map(async ({ system, pings }) => {
        await untilMore(pings, 40);
        outages.get(system.name)?.push((await pings.stop()).lost * PING_MS);
      }),
    );
    tell(`NAT reboot ${round + 1}`, outages);
  }
  return outages;
}

/** Proportional set size of what each has on alice, in MiB. */
export async function measureMemory({ alice }: Machines, systems: readonly MeshSystem[]): Promise<BySystem<number>> {
  await delay(REST_MS);
  const { stdout } = await alice.exec(["readlink", "/proc/self/ns/net"]);
  return new Map(
    systems.map(({ name, processes }) => {
      const pids = processes.map((pattern) => findProcess(stdout.trim(), pattern));
      const sizes = pids.map((pid) => parseMemory(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")).pssMb);
      return [name, sizes.reduce((sum, size) => sum + size, 0)];
    }),
  );
}

function findProcess(network: string, pattern: RegExp): string {
  const found = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isOne(pid, network, pattern));
  if (found.length !== 1) throw new Error(`${found.length} processes are ${pattern}`);
  return found[0] ?? "";
}

function isOne(pid: string, network: string, pattern: RegExp): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
    return readlinkSync(`/proc/${pid}/ns/net`) === network && pattern.test(command);
  } catch {
    return false; // it ended while we looked
  }
}

const untilAnswers = (from: LabNode, address: string, { name }: MeshSystem) =>
  eventually(() => pingOnce(from, address, { timeoutMs: 1_000 }), {
    ...{ withinMs: JOIN_LIMIT_MS, everyMs: 10 },
    describe: `${from.name} is answered over ${name}`,
  });

async function untilMore(pings: { received(): number }, count: number): Promise<void> {
  const before = pings.received();
  await eventually(() => pings.received() > before + count, { withinMs: BACK_LIMIT_MS, describe: "pings flow" });
}

const rotate = <T>(list: readonly T[], by: number): T[] =>
  list.map((_, index) => list[(index + by) % list.length] as T);

function tell(what: string, values: BySystem<number[]>): void {
  const text = [...values].map(([name, list]) => `${name} ${(list.at(-1) ?? 0).toFixed(0)}`);
  process.stderr.write(`${what}: ${text.join(", ")}\n`);
}
