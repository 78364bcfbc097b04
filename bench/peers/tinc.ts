// tinc 1.0 as Debian packages it, in router mode: everybody knows everybody's key, and connects to carol first.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../../e2e/lab/node.ts";
import { eventually } from "../../e2e/lab/probes/eventually.ts";
import type { LabProcess } from "../../e2e/lab/system/process.ts";
import type { Machines, MeshSystem } from "./system.ts";

const ADDRESSES: Readonly<Record<string, string>> = { alice: "10.97.0.1", carol: "10.97.0.3", dave: "10.97.0.2" };

export async function startTinc({ alice, carol, dave }: Machines): Promise<MeshSystem> {
  const nodes = [alice, carol, dave];
  const hosts = new Map<string, string>();
  for (const node of nodes) hosts.set(node.name, await configure(node, carol));
  for (const node of nodes)
    for (const [name, text] of hosts) writeFileSync(path.join(toFolder(node), "hosts", name), text);
  const start = (node: LabNode) => {
    const folder = toFolder(node);
    return node.spawn(["tincd", "-D", "-c", folder, `--pidfile=${folder}/tinc.pid`, "-d1"]);
  };
  for (const node of [carol, dave]) {
    const started = await start(node);
    await eventually(async () => started.isRunning() && (await hasAddress(node)), {
      withinMs: 10_000,
      describe: `tinc runs on ${node.name}, see ${started.logFile}`,
    });
  }
  let running: LabProcess | null = null;
  const { stdout } = await dave.exec(["tincd", "--version"]);
  return {
    name: "tinc",
    version: /version (\S+)/.exec(stdout)?.[1] ?? "",
    knows: "carol's address, and everybody's key",
    processes: [/^tincd -D/],
    async join() {
      running = await start(alice);
    },
    async leave() {
      await running?.stop();
    },
    addressOf: async (machine) => ADDRESSES[machine] ?? "",
  };
}

const toFolder = (node: LabNode): string => path.join(node.files.folder, "tinc");

const hasAddress = async (node: LabNode) =>
  (await node.exec(["ip", "-brief", "address"])).stdout.includes(`${ADDRESSES[node.name]}/`);

/** Its host file. */
async function configure(node: LabNode, hub: LabNode): Promise<string> {
  const folder = toFolder(node);
  mkdirSync(path.join(folder, "hosts"), { recursive: true, mode: 0o700 });
  const isPublic = node.lan === null;
  const host = [...(isPublic ? [`Address = ${node.ipv4}`] : []), `Subnet = ${ADDRESSES[node.name]}/32`];
  writeFileSync(path.join(folder, "hosts", node.name), `${host.join("\n")}\n`);
  const connect = node === hub ? [] : [`ConnectTo = ${hub.name}`];
  writeFileSync(
    path.join(folder, "tinc.conf"),
    `${[`Name = ${node.name}`, ...connect, "Interface = tinc0"].join("\n")}\n`,
  );
  const up = [
    "#!/bin/sh",
    `ip address add ${ADDRESSES[node.name]}/24 dev "$INTERFACE"`,
    'ip link set dev "$INTERFACE" up',
    "",
  ];
  writeFileSync(path.join(folder, "tinc-up"), up.join("\n"), { mode: 0o755 });
  await node.exec(["tincd", "-c", folder, "-K2048"], { input: "\n\n" });
  return readFileSync(path.join(folder, "hosts", node.name), "utf8");
}
