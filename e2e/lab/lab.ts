// The lab: a small internet of network namespaces on this host, for tests, the demo and people.
//
//   await using lab = await createLab({ topology });
//   await lab.machine("alice").exec(["ping", "-c1", "carol"]);
//
// It lives until `down()`, or as long as its owner: it goes when this process exits, and if the process is killed, when
// the next lab is made. `release()` makes it stay until somebody takes it down by its id or name.
import { randomBytes } from "node:crypto";
import { type BuiltNode, buildLab } from "./build.ts";
import { renderDiagnostics } from "./diagnostics.ts";
import { createDisturbances, type Disturbances } from "./disturbances.ts";
import { type Forward, type ForwardTarget, startForward } from "./forward/forward.ts";
import { createLinkControl } from "./link-control.ts";
import { createNode, type LabNode, type NodeState, type PublicNode } from "./node.ts";
import { createOwnership } from "./ownership.ts";
import { type LabPlan, planLab } from "./plan/plan.ts";
import { parseTopology, type TopologyInput } from "./plan/topology.ts";
import { type LabRecord, labFolder, ownIdentity, registerLab, removeLab, writeRecord } from "./record.ts";
import { requireRoot } from "./requirements.ts";
import { readIdentity } from "./system/proc.ts";

export interface Lab extends Disturbances {
  readonly id: string;
  /** The lab's folder on the host; it goes with the lab. */
  readonly folder: string;
  /** A public node for the control plane. */
  readonly control: PublicNode;
  /** A public node for STUN servers; its addresses are those of plan/plan.ts. */
  readonly stun: LabNode;
  readonly internet: LabNode;
  readonly machines: readonly LabNode[];
  machine(name: string): LabNode;
  /** Any node: a machine, the router of a LAN by the LAN's name, a carrier, `internet`, `control` or `stun`. */
  node(name: string): LabNode;
  /** Cuts the cable of a machine, or of a whole LAN to the internet, and mends it. */
  setLink(name: string, state: "up" | "down"): Promise<void>;
  /** Gives a machine another IPv4 address of the same kind, as a new lease or a new provider would. Returns it. */
  changeAddress(name: string): Promise<string>;
  /** A port of this host's 127.0.0.1 that leads to a TCP port inside the lab. */
  forward(target: ForwardTarget): Promise<Forward>;
  /** Addresses, routes, WireGuard and last log lines of each node, to print when a test fails. */
  diagnostics(): Promise<string>;
  /** The lab stays when this process ends. Forwards and programs' exit reports end with it all the same. */
  release(): void;
  /** Kills everything inside and removes every trace. Idempotent. */
  down(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LabOptions {
  readonly topology: TopologyInput;
  /** A name for the command line; must be free. */
  readonly name?: string;
  /** Takes the lab down when aborted, also while it is being made. */
  readonly signal?: AbortSignal;
}

export async function createLab({ topology, name, signal }: LabOptions): Promise<Lab> {
  requireRoot();
  const parsed = parseTopology(topology);
  if (!parsed.ok) throw new Error(`the topology is wrong:\n  ${parsed.error.join("\n  ")}`);
  signal?.throwIfAborted();
  const id = randomBytes(4).toString("hex");
  const createdAt = new Date().toISOString();
  const record: LabRecord = { id, name: name ?? null, owner: ownIdentity(), createdAt, nodes: [] };
  const plan = planLab(parsed.value);
  await registerLab(record);
  const ownership = createOwnership(id);
  try {
    const nodes = await buildLab(id, plan);
    signal?.throwIfAborted();
    const complete = { ...record, nodes: nodes.map(toRecordNode) };
    writeRecord(complete);
    const lab = await createHandle({ record: complete, plan, nodes, ownership });
    signal?.addEventListener("abort", () => void lab.down(), { once: true });
    return lab;
  } catch (error) {
    await removeLab(id);
    ownership.end();
    throw error;
  }
}

interface HandleInput {
  readonly record: LabRecord;
  readonly plan: LabPlan;
  readonly nodes: readonly BuiltNode[];
  readonly ownership: { end(): void };
}

async function createHandle({ record, plan, nodes: built, ownership }: HandleInput): Promise<Lab> {
  const { id } = record;
  const states = built.map((node): NodeState => ({ ...node, labId: id }));
  const nodes = states.map(createNode);
  const node = (name: string) => find(nodes, name);
  const machines = nodes.filter((candidate) => candidate.role === "machine");
  const { links } = plan;
  const { setLink, changeAddress } = createLinkControl({ links, states, node });
  const { startDaemons, ...disturbances } = createDisturbances({ links, states, node, setLink, changeAddress });
  await startDaemons();
  const forwards: Forward[] = [];
  let ending: Promise<void> | null = null;
  const end = async () => {
    await Promise.all(forwards.map((forward) => forward.close()));
    await removeLab(id);
    // Only after that: a second Ctrl-C meanwhile must leave nothing either.
    ownership.end();
  };
  const down = () => {
    ending ??= end();
    return ending;
  };
  return {
    id,
    folder: labFolder(id),
    control: asPublic(node("control")),
    stun: node("stun"),
    internet: node("internet"),
    machines,
    node,
    machine: (name) => find(machines, name),
    setLink,
    changeAddress,
    ...disturbances,
    forward: async (target) => {
      const forward = await startForward(node(target.node ?? "control"), target);
      forwards.push(forward);
      return forward;
    },
    diagnostics: () => renderDiagnostics(nodes),
    release: () => {
      ownership.end();
      writeRecord({ ...record, owner: null });
    },
    down,
    [Symbol.asyncDispose]: down,
  };
}

function asPublic(node: LabNode): PublicNode {
  const { ipv4, ipv6 } = node;
  if (ipv4 === null || ipv6 === null) throw new Error(`${node.name} lacks a public address`);
  return node as PublicNode;
}

function find(nodes: readonly LabNode[], name: string): LabNode {
  const found = nodes.find((candidate) => candidate.name === name);
  if (!found)
    throw new Error(`there is no "${name}" in this lab; there are ${nodes.map((one) => one.name).join(", ")}`);
  return found;
}

function toRecordNode({ name, role, lan, ipv4, ipv6, pid }: BuiltNode): LabRecord["nodes"][number] {
  const holder = readIdentity(pid);
  if (!holder) throw new Error(`the namespaces of ${name} are gone`);
  return { name, role, lan, ipv4, ipv6, holder };
}
