// From the disk cache to tunnels: the agent was killed, its interface is gone as after a boot, and the control plane does not answer.
import type { LabAgent } from "../../e2e/fleet/agent.ts";
import type { LabNode } from "../../e2e/lab/node.ts";
import { eventually } from "../../e2e/lab/probes/eventually.ts";
import { since } from "../lib/measure.ts";

const START_LIMIT_MS = 60_000;
/** Each look starts a program, on the cores that the agent needs. */
const LOOK_EVERY_MS = 10;

export interface ColdStartOptions extends PeersOptions {
  /** The Node that runs the agent. */
  readonly node: string;
}

interface PeersOptions {
  readonly agent: LabAgent;
  readonly interfaceName: string;
  readonly peers: number;
}

/** Milliseconds from the start of the process until `wg show` lists every peer. */
export async function measureColdStart({ agent, interfaceName, peers, node }: ColdStartOptions): Promise<number> {
  const { machine } = agent;
  await agent.kill();
  await machine.exec(["ip", "link", "del", "dev", interfaceName]);
  // A userspace WireGuard ends a moment after its interface.
  await eventually(async () => (await machine.exec(["wg", "show", "interfaces"])).stdout.trim() === "", {
    withinMs: 10_000,
    describe: "the interface is gone",
  });
  const started = performance.now();
  await agent.up({ node });
  await untilPeers({ agent, interfaceName, peers });
  return since(started);
}

export async function untilPeers({ agent, interfaceName, peers }: PeersOptions): Promise<void> {
  const argv = ["wg", "show", interfaceName, "peers"];
  const isComplete = async () => (await agent.machine.exec(argv)).stdout.trim().split("\n").length === peers;
  await eventually(isComplete, {
    withinMs: START_LIMIT_MS,
    everyMs: LOOK_EVERY_MS,
    describe: `WireGuard has ${peers} peers`,
  });
}

/** What a start of Node itself costs here. */
export async function measureNodeStart(machine: LabNode, node: string): Promise<number> {
  const started = performance.now();
  await machine.exec([node, "--eval", ""]);
  return since(started);
}
