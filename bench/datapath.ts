// bench datapath: what a direct path costs against a tunnel made by hand, and what the relay carries.
//
//   alice ── internet ── bob        three tunnels at once: one made by hand, one of Becket's, and Becket's again
//               └ control           when the internet drops UDP between the two
import { parseArgs } from "node:util";
import { createFleet, type Fleet } from "../e2e/fleet/fleet.ts";
import { readStatus } from "../e2e/fleet/local-api.ts";
import { untilPath } from "../e2e/fleet/paths.ts";
import type { LabNode } from "../e2e/lab/node.ts";
import { eventually } from "../e2e/lab/probes/eventually.ts";
import { ping, startPing } from "../e2e/lab/probes/ping.ts";
import { makeTunnel, readSettings } from "./datapath/hand-made.ts";
import { type IperfResult, parseIperf } from "./datapath/parse-iperf.ts";
import { type PairedRun, summariseRuns } from "./datapath/summarise.ts";
import { median, round } from "./lib/measure.ts";
import { startProcessorTime } from "./lib/processor-time.ts";

const PINGS = 25;
const PING_EVERY_MS = 10;
/** TCP finds the speed of the path; these seconds are not counted. */
const WARM_UP_SECONDS = 1;
const DIRECT_LIMIT_MS = 30_000;
const RELAYED_LIMIT_MS = 60_000;

export const summary =
  "datapath   direct and relayed against WireGuard by hand (--pairs 10 --relayed 5 --seconds 4); needs root";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      pairs: { type: "string", default: "10" },
      relayed: { type: "string", default: "5" },
      seconds: { type: "string", default: "4" },
    },
  });
  const plan = { pairs: Number(values.pairs), relayed: Number(values.relayed), seconds: Number(values.seconds) };
  await using fleet = await createFleet({ topology: { machines: [{ name: "alice" }, { name: "bob" }] } });
  return await measure(fleet, plan);
}

interface Plan {
  readonly pairs: number;
  readonly relayed: number;
  readonly seconds: number;
}

async function measure(fleet: Fleet, plan: Plan): Promise<Record<string, unknown>> {
  const [alice, bob] = [fleet.lab.machine("alice"), fleet.lab.machine("bob")];
  const mesh = await fleet.api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
  await fleet.enrolAll();
  await fleet.untilConnected(mesh.id);
  await untilPath(fleet, ["alice", "bob"], "direct", { withinMs: DIRECT_LIMIT_MS });
  const becket = (await fleet.addresses(mesh.id)).get("bob")?.ipv4 ?? "";
  const settings = await readBothSettings(alice, bob);
  const [, handMade] = await makeTunnel([alice, bob], settings);
  await bob.spawn(["iperf3", "--server"]);
  await eventually(async () => (await bob.exec(["ss", "-Hltn", "sport = :5201"])).stdout !== "", {
    withinMs: 5_000,
    describe: "iperf3 listens",
  });
  const paired = await measurePairs(alice, { handMade, direct: becket }, plan);
  await untilPath(fleet, ["alice", "bob"], "direct", { withinMs: 0 });
  await untilRelayed(fleet, alice, becket);
  const relayed = await measureRelayed(fleet, becket, plan);
  await untilPath(fleet, ["alice", "bob"], "relayed", { withinMs: 0 });
  return {
    bench: "datapath",
    ...summariseRuns(paired.runs, relayed.runs),
    rttMs: { ...paired.rttMs, relayed: relayed.rttMs },
    runs: [...paired.runs.map(toRoundedPair), ...relayed.runs.map((result) => ({ relayed: toRounded(result) }))],
    relayedCores: relayed.cores,
    ...settings,
    seconds: plan.seconds,
  };
}

async function readBothSettings(alice: LabNode, bob: LabNode) {
  const read = async (node: LabNode) => readSettings(node, (await readStatus(node)).meshes[0]?.interfaceName ?? "");
  const [one, other] = await Promise.all([read(alice), read(bob)]);
  return {
    mtuBytes: one.mtuBytes,
    keepaliveSeconds: [one.keepaliveSeconds, other.keepaliveSeconds] as [number, number],
  };
}

/** By hand and by Becket in turn; who is first changes with every pair, so that a drift of the machine hits both. */
async function measurePairs(from: LabNode, to: { handMade: string; direct: string }, { pairs, seconds }: Plan) {
  const runs: PairedRun[] = [];
  const times = { handMade: [] as number[], direct: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? (["handMade", "direct"] as const) : (["direct", "handMade"] as const);
    const results = new Map<string, IperfResult>();
    for (const which of order) {
      times[which].push(...(await pingMany(from, to[which])));
      results.set(which, await iperf(from, to[which], seconds));
    }
    const [handMade, direct] = [results.get("handMade"), results.get("direct")];
    if (handMade === undefined || direct === undefined) throw new Error("a pair is two runs");
    runs.push({ handMade, direct });
    tell(`by hand ${handMade.mbps.toFixed(0)}, direct ${direct.mbps.toFixed(0)} Mbit/s`);
  }
  return { runs, rttMs: { handMade: toMedianMs(times.handMade), direct: toMedianMs(times.direct) } };
}

/** UDP between the two vanishes on the internet. */
async function untilRelayed(fleet: Fleet, alice: LabNode, address: string): Promise<void> {
  await fleet.lab.blackhole("alice", "bob");
  const traffic = await startPing(alice, address, { intervalMs: 200 });
  await untilPath(fleet, ["alice", "bob"], "relayed", { withinMs: RELAYED_LIMIT_MS });
  await traffic.stop();
}

async function measureRelayed(fleet: Fleet, address: string, { relayed, seconds }: Plan) {
  const { lab } = fleet;
  const from = lab.machine("alice");
  const times = await pingMany(from, address);
  const runs: IperfResult[] = [];
  const nodes = { sender: from, receiver: lab.machine("bob"), controlPlane: lab.control };
  const watches = Object.entries(nodes).map(async ([name, node]) => [name, await startProcessorTime(node)] as const);
  const watched = await Promise.all(watches);
  for (let count = 0; count < relayed; count++) {
    const result = await iperf(from, address, seconds);
    runs.push(result);
    tell(`relayed ${result.mbps.toFixed(0)} Mbit/s, ${result.retransmits} retransmits`);
  }
  const cores = await Promise.all(watched.map(async ([name, watch]) => [name, await watch.stop()] as const));
  return { runs, rttMs: toMedianMs(times), cores: Object.fromEntries(cores) };
}

async function iperf(from: LabNode, address: string, seconds: number): Promise<IperfResult> {
  const time = ["--time", String(seconds), "--omit", String(WARM_UP_SECONDS)];
  const argv = ["iperf3", "--client", address, ...time, "--json"];
  const { stdout } = await from.exec(argv, { timeoutMs: (seconds + WARM_UP_SECONDS + 30) * 1_000, allowFailure: true });
  return parseIperf(stdout);
}

async function pingMany(from: LabNode, address: string): Promise<readonly number[]> {
  return (await ping(from, address, { count: PINGS, intervalMs: PING_EVERY_MS })).timesMs;
}

const toMedianMs = (times: readonly number[]): number => round(median(times), 2);
const toRounded = ({ mbps, retransmits }: IperfResult) => ({ mbps: round(mbps, 1), retransmits });
const toRoundedPair = ({ handMade, direct }: PairedRun) => ({
  handMade: toRounded(handMade),
  direct: toRounded(direct),
  ratio: round(direct.mbps / handMade.mbps, 3),
});

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
