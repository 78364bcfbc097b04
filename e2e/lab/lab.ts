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
import { type Forward, type ForwardTarget, startForward } from "./forward/forward.ts";
import { createNode, type LabNode, type NodeState } from "./node.ts";
import { createOwnership } from "./ownership.ts";
import { pickIpv4, planFarEnd, planIpv4Change } from "./plan/links.ts";
import { type LabPlan, planLab } from "./plan/plan.ts";
import { parseTopology, type TopologyInput } from "./plan/topology.ts";
import { type LabRecord, labFolder, ownIdentity, registerLab, removeLab, writeRecord } from "./record.ts";
import { requireRoot } from "./requirements.ts";
import { readIdentity } from "./system/proc.ts";

export interface Lab {
  readonly id: string;
  /** The lab's folder on the host; it goes with the lab. */
  readonly folder: string;
  /** A public node for the control plane. */
  readonly control: LabNode;
  readonly internet: LabNode;
  readonly machines: readonly LabNode[];
  machine(name: string): LabNode;
  /** Any node: a machine, the router of a LAN by the LAN's name, `internet` or `control`. */
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
    const lab = createHandle({ record: complete, plan, nodes, ownership });
    signal?.addEventListener("abort", () => void lab.down(), { once: true });
    return lab;
  } catch (error) {
    ownership.end();
    await removeLab(id);
    throw error;
  }
}

interface HandleInput {
  readonly record: LabRecord;
  readonly plan: LabPlan;
  readonly nodes: readonly BuiltNode[];
  readonly ownership: { end(): void };
}

function createHandle({ record, plan, nodes: built, ownership }: HandleInput): Lab {
  const { id } = record;
  const states = built.map((node): NodeState => ({ ...node, labId: id }));
  const nodes = states.map(createNode);
  const forwards: Forward[] = [];
  let downOnce: Promise<void> | null = null;
  // Also those that machines left, so that an old address is never another machine's.
  const usedAddresses = new Set(built.map((node) => node.ipv4));

  const find = <T extends { name: string }>(list: readonly T[], name: string): T => {
    const found = list.find((candidate) => candidate.name === name);
    if (!found)
      throw new Error(`there is no "${name}" in this lab; there are ${list.map((one) => one.name).join(", ")}`);
    return found;
  };
  const node = (name: string) => find(nodes, name);
  const linkOf = (name: string) => {
    const link = plan.links.find((candidate) => candidate.near.node === name);
    if (!link) throw new Error(`"${name}" has no link of its own`);
    return link;
  };
  const configure = (name: string, commands: readonly string[]) =>
    node(name).exec(["ip", "-batch", "-"], { input: commands.join("\n") });
  const down = async () => {
    ownership.end();
    await Promise.all(forwards.map((forward) => forward.close()));
    await removeLab(id);
  };

  const lab: Lab = {
    id,
    folder: labFolder(id),
    control: node("control"),
    internet: node("internet"),
    machines: nodes.filter((candidate) => candidate.role === "machine"),
    node,
    machine: (name) => find(lab.machines, name),
    setLink: async (name, state) => {
      // At the far end, so that the near end loses its carrier and keeps its addresses, as with a pulled cable.
      const link = linkOf(name);
      const commands = state === "up" ? planFarEnd(link, node(name)) : [`link set ${link.far.device} down`];
      await configure(link.far.node, commands);
    },
    changeAddress: async (name) => {
      const link = linkOf(name);
      const { ipv4: from } = node(name);
      const to = pickIpv4(link, usedAddresses);
      if (to === null) throw new Error(`no address is left for ${name} in ${link.network}`);
      usedAddresses.add(to);
      const change = planIpv4Change(link, { from, to });
      await configure(link.far.node, change.far);
      await configure(name, change.near);
      find(states, name).ipv4 = to;
      return to;
    },
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
    down: () => (downOnce ??= down()),
    [Symbol.asyncDispose]: () => lab.down(),
  };
  return lab;
}

function toRecordNode({ name, role, lan, ipv4, ipv6, pid }: BuiltNode): LabRecord["nodes"][number] {
  const holder = readIdentity(pid);
  if (!holder) throw new Error(`the namespaces of ${name} are gone`);
  return { name, role, lan, ipv4, ipv6, holder };
}
