// Nebula as Debian packages it, set up as its example configuration says: carol is the lighthouse, certificates are made beforehand.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../../e2e/lab/node.ts";
import { eventually } from "../../e2e/lab/probes/eventually.ts";
import type { LabProcess } from "../../e2e/lab/system/process.ts";
import type { Machines, MeshSystem } from "./system.ts";

const PORT = 4_242;
const ADDRESSES: Readonly<Record<string, string>> = { alice: "10.98.0.1", carol: "10.98.0.3", dave: "10.98.0.2" };

export async function startNebula({ alice, carol, dave }: Machines): Promise<MeshSystem> {
  const authority = path.join(carol.files.folder, "nebula-authority");
  mkdirSync(authority, { mode: 0o700 });
  const [crt, key] = [path.join(authority, "ca.crt"), path.join(authority, "ca.key")];
  await carol.exec(["nebula-cert", "ca", "-name", "lab", "-out-crt", crt, "-out-key", key]);
  const configs = new Map<string, string>();
  for (const node of [alice, carol, dave]) configs.set(node.name, await configure(node, carol, { crt, key }));
  const start = (node: LabNode) => node.spawn(["nebula", "-config", configs.get(node.name) ?? ""]);
  for (const node of [carol, dave]) {
    const started = await start(node);
    await eventually(async () => started.isRunning() && (await hasAddress(node)), {
      withinMs: 10_000,
      describe: `nebula runs on ${node.name}, see ${started.logFile}`,
    });
  }
  let running: LabProcess | null = null;
  const { stdout } = await dave.exec(["nebula", "-version"]);
  return {
    name: "nebula",
    version: stdout.replace(/^Version:\s*/, "").trim(),
    knows: "the lighthouse's address, and a certificate",
    processes: [/^nebula -config/],
    async join() {
      running = await start(alice);
    },
    async leave() {
      await running?.stop();
    },
    addressOf: async (machine) => ADDRESSES[machine] ?? "",
  };
}

const hasAddress = async (node: LabNode) =>
  (await node.exec(["ip", "-brief", "address"])).stdout.includes(`${ADDRESSES[node.name]}/`);

async function configure(node: LabNode, lighthouse: LabNode, ca: { crt: string; key: string }): Promise<string> {
  const folder = path.join(node.files.folder, "nebula");
  mkdirSync(folder, { mode: 0o700 });
  const [cert, key] = [path.join(folder, "host.crt"), path.join(folder, "host.key")];
  const names = ["-name", node.name, "-ip", `${ADDRESSES[node.name]}/24`];
  await node.exec([
    "nebula-cert",
    "sign",
    "-ca-crt",
    ca.crt,
    "-ca-key",
    ca.key,
    ...names,
    "-out-crt",
    cert,
    "-out-key",
    key,
  ]);
  const isLighthouse = node === lighthouse;
  const lighthouseAddress = ADDRESSES[lighthouse.name] ?? "";
  const any = [{ port: "any", proto: "any", host: "any" }];
  // YAML takes JSON.
  const config = {
    pki: { ca: ca.crt, cert, key },
    static_host_map: isLighthouse ? {} : { [lighthouseAddress]: [`${lighthouse.ipv4}:${PORT}`] },
    lighthouse: { am_lighthouse: isLighthouse, interval: 60, hosts: isLighthouse ? [] : [lighthouseAddress] },
    listen: { host: "0.0.0.0", port: PORT },
    punchy: { punch: true, respond: true },
    tun: { dev: "neb0" },
    logging: { level: "info", format: "text" },
    firewall: { outbound: any, inbound: any },
  };
  const file = path.join(folder, "config.yml");
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  return file;
}
