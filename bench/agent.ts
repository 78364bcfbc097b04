// bench agent: what an agent costs that has many peers and nothing to do, and how fast it is back after a boot without a control plane.
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { createFleet, type Fleet } from "../e2e/fleet/fleet.ts";
import { readPeers, readStatus } from "../e2e/fleet/local-api.ts";
import type { LabNode } from "../e2e/lab/node.ts";
import { eventually } from "../e2e/lab/probes/eventually.ts";
import { measureColdStart, measureNodeStart, untilPeers } from "./agent/cold-start.ts";
import { type Crowd, joinCrowd } from "./agent/crowd.ts";
import { type Outgoing, startCounting } from "./agent/outgoing.ts";
import { measureUsage, type Usage } from "./agent/process-usage.ts";
import { median, percentile, round } from "./lib/measure.ts";
import { startProcessorTime } from "./lib/processor-time.ts";

const DISTRIBUTION_NODE = "/usr/bin/node";
const CONTROL_PORT = 8080;
const PING_EVERY_MS = 30_000;

export const summary =
  "agent      an idle agent's memory and processor time, and its cold start (--peers 250 --seconds 60 --starts 5 --node FILE); needs root";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      peers: { type: "string", default: "250" },
      seconds: { type: "string", default: "60" },
      starts: { type: "string", default: "5" },
      node: { type: "string", default: await findNode() },
    },
  });
  const { node } = values;
  const plan = { peers: Number(values.peers), seconds: Number(values.seconds), starts: Number(values.starts), node };
  await using fleet = await createFleet({ topology: { machines: [{ name: "alice" }] } });
  return await measure(fleet, plan);
}

/** As the installer does: that of the distribution where it is new enough, else one brought along. */
async function findNode(): Promise<string> {
  const [major = 0, minor = 0] = await readNodeVersion(DISTRIBUTION_NODE);
  return major > 20 || (major === 20 && minor >= 18) ? DISTRIBUTION_NODE : process.execPath;
}

async function readNodeVersion(node: string): Promise<number[]> {
  try {
    const { stdout } = await promisify(execFile)(node, ["--version"]);
    return stdout.slice(1).split(".").map(Number);
  } catch {
    return [];
  }
}

interface Plan {
  readonly peers: number;
  readonly seconds: number;
  readonly starts: number;
  /** The Node that runs the agent. */
  readonly node: string;
}

async function measure(fleet: Fleet, { peers, seconds, starts, node }: Plan): Promise<Record<string, unknown>> {
  const agent = fleet.agent("alice");
  const { machine } = agent;
  const mesh = await fleet.api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
  const crowd = await joinCrowd({
    origin: fleet.api.url,
    ownerToken: fleet.api.ownerToken,
    meshId: mesh.id,
    members: peers,
    pingEveryMs: PING_EVERY_MS,
  });
  tell(`${peers} simulated members are online`);
  const takeOutgoing = await startCounting(machine, CONTROL_PORT);
  const { token } = await fleet.api.createJoinToken();
  await agent.up({ token, node });
  const interfaceName = await untilInterface(machine);
  await untilPeers({ agent, interfaceName, peers });

  const empty = await machine.spawn([node, "--eval", "setInterval(() => {}, 2 ** 30)"]);
  const { pid } = await readStatus(machine);
  const window = { machine, pid, emptyPid: empty.pid, seconds, takeOutgoing, crowd };
  // The first minutes after a start are another matter: the agent looks for paths.
  const starting = await measureWindow(window);
  tell(`starting: ${JSON.stringify(starting)}`);
  const idle = await measureWindow(window);
  tell(`idle: ${JSON.stringify(idle)}`);
  const paths = countBy((await readPeers(machine)).map(({ path }) => path));
  await empty.kill("SIGKILL");

  crowd.leave();
  await fleet.controlPlane.stop();
  const coldStarts: number[] = [];
  const nodeStarts: number[] = [];
  for (let start = 0; start < starts; start++) {
    nodeStarts.push(await measureNodeStart(machine, node));
    coldStarts.push(await measureColdStart({ agent, interfaceName, peers, node }));
  }
  return {
    bench: "agent",
    peers,
    rssMb: idle.rssMb,
    cpuPercent: idle.cpuPercent,
    coldStartMs: round(median(coldStarts), 1),
    coldStartWorstMs: percentile(coldStarts, 100),
    idle,
    starting,
    paths,
    seconds,
    nodeVersion: (await machine.exec([node, "--version"])).stdout.trim(),
    reference: { emptyNodeRssMb: idle.emptyNode.rssMb, emptyNodeStartMs: round(median(nodeStarts), 1) },
  };
}

interface Window {
  readonly machine: LabNode;
  readonly pid: number;
  readonly emptyPid: number;
  readonly seconds: number;
  readonly takeOutgoing: () => Promise<Outgoing>;
  readonly crowd: Crowd;
}

async function measureWindow({ machine, pid, emptyPid, seconds, takeOutgoing, crowd }: Window) {
  const processors = await startProcessorTime(machine);
  const usages = [measureUsage(pid, seconds), measureUsage(emptyPid, seconds)] as const;
  const [usage, emptyNode]: [Usage, Usage] = await Promise.all(usages);
  const cores = await processors.stop();
  const { messages, udp } = await takeOutgoing();
  const perMinute = (count: number) => round((count / seconds) * 60, 1);
  return {
    ...usage,
    wireguardCpuPercent: round((cores["wireguard-go"] ?? 0) * 100, 2),
    messagesPerMinute: perMinute(messages.packets),
    messageBytesPerMinute: perMinute(messages.bytes),
    udpPacketsPerMinute: perMinute(udp.packets),
    peersHeard: crowd.takeMessages(),
    emptyNode,
  };
}

/** The name of the mesh's interface, as soon as the agent has one. */
function untilInterface(machine: LabNode): Promise<string> {
  return eventually(async () => (await readStatus(machine)).meshes[0]?.interfaceName, {
    withinMs: 20_000,
    describe: "the agent is in the mesh",
  });
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
