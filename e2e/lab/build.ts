// Carries out a plan: namespaces, then links, then what each node gets. Nodes are independent, so each step runs for
// all at once; one `ip -batch` per node keeps a lab of four machines well below a second.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeNodeFolders, type NodeFiles, nodeFiles } from "./node.ts";
import { planFarEnd, planNearEnd } from "./plan/links.ts";
import type { LabPlan } from "./plan/plan.ts";
import type { PlannedNode } from "./plan/planned-node.ts";
import { labFolder, MOUNT_POINTS } from "./record.ts";
import { run } from "./system/exec.ts";
import { enterArgv, startHolder } from "./system/holder.ts";
import { LAB_VARIABLE } from "./system/proc.ts";

export interface BuiltNode extends PlannedNode {
  readonly pid: number;
  readonly files: NodeFiles;
}

export async function buildLab(id: string, plan: LabPlan): Promise<BuiltNode[]> {
  const nodes = await Promise.all(plan.nodes.map((node) => startNode(id, node, plan)));
  const pidOf = (name: string) => nodes.find((node) => node.name === name)?.pid;
  const env = { [LAB_VARIABLE]: id };
  // Both ends are made inside their namespaces: no name ever appears on the host, so parallel labs can't collide.
  const cables = plan.links.map(
    ({ near, far }) =>
      `link add name ${near.device} netns ${pidOf(near.node)} type veth peer name ${far.device} netns ${pidOf(far.node)}`,
  );
  await run(["ip", "-batch", "-"], { input: cables.join("\n"), env });
  await Promise.all(
    nodes.map(async (node) => {
      const input = planIpCommands(node, plan).join("\n");
      await run(enterArgv(node.pid, ["ip", "-batch", "-"]), { input, env });
      if (node.nftRules) await run(enterArgv(node.pid, ["nft", "-f", "-"]), { input: node.nftRules, env });
    }),
  );
  return nodes;
}

/** Its own lines, then those of every link end inside it. */
function planIpCommands(node: PlannedNode, plan: LabPlan): string[] {
  const ends = plan.links.flatMap((link) => {
    const owner = plan.nodes.find((candidate) => candidate.name === link.near.node);
    if (!owner) return [];
    if (link.near.node === node.name) return planNearEnd(link, owner);
    return link.far.node === node.name ? planFarEnd(link, owner) : [];
  });
  return [...node.ipCommands, ...ends];
}

async function startNode(id: string, node: PlannedNode, plan: LabPlan): Promise<BuiltNode> {
  const files = nodeFiles(labFolder(id), node.name);
  makeNodeFolders(files);
  const write = (name: string, lines: readonly string[]) => {
    const file = path.join(files.folder, name);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };
  const hosts = write("hosts", [...readHostNames(), ...renderHosts(node, plan)]);
  const [varLib, run_, wireguard] = MOUNT_POINTS;
  const mounts = write("fstab", [
    `${files.varLib} ${varLib} none bind 0 0`,
    `${files.run} ${run_} none bind 0 0`,
    `${files.wireguard} ${wireguard} none bind 0 0`,
    ...(existsSync("/etc/hosts") ? [`${hosts} /etc/hosts none bind 0 0`] : []),
    // The host's /sys shows the host's network devices.
    "lab /sys sysfs nosuid,nodev,noexec 0 0",
  ]);
  const settings = write("sysctl", [`kernel.hostname = ${node.name}`, ...node.sysctls]);
  const env = { [LAB_VARIABLE]: id };
  const pid = await startHolder(id);
  await run(enterArgv(pid, ["mount", "--all", "--fstab", mounts]), { env });
  await run(enterArgv(pid, ["sysctl", "--quiet", `--load=${settings}`]), { env });
  return { ...node, pid, files };
}

/** The names a node can reach: its own LAN and whatever is public. */
function renderHosts(node: PlannedNode, plan: LabPlan): string[] {
  const isReachable = (other: PlannedNode) => other.lan === null || other.lan === node.lan;
  return plan.nodes
    .filter((other) => other.name === node.name || isReachable(other))
    .flatMap(({ name, ipv4, ipv6 }) => [ipv4, ipv6].flatMap((address) => (address ? [`${address} ${name}`] : [])));
}

function readHostNames(): string[] {
  // The host's own name would resolve to itself; `localhost` is what programs count on.
  const lines = existsSync("/etc/hosts") ? readFileSync("/etc/hosts", "utf8").split("\n") : [];
  return lines.filter((line) => /\slocalhost\b/.test(line));
}
