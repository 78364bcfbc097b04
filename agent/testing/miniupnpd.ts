// A home router: a namespace with NAT and miniupnpd, and a machine behind it in another.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "./eventually.ts";
import { connectNamespaces, type Namespace, openNamespace, whyNoNamespaces } from "./namespace.ts";

export interface RouterOptions {
  readonly speaksUpnp?: boolean;
  /** NAT-PMP and PCP. */
  readonly speaksNatPmp?: boolean;
  readonly isIgd1?: boolean;
  readonly maxLifetimeSeconds?: number;
}

export interface HomeRouter {
  readonly router: Namespace;
  readonly machine: Namespace;
  /** Its mappings: `UDP 51820 192.168.77.2:51820 expiry description`. */
  mappings(): Promise<string[]>;
  start(options?: RouterOptions): Promise<void>;
  /** With all mappings forgotten, as a router that restarts. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export const MACHINE_ADDRESS = "192.168.77.2";
export const ROUTER_ADDRESS = "192.168.77.1";
/** miniupnpd maps nothing for an address of the ranges for documentation, so this is none. */
export const EXTERNAL_ADDRESS = "203.0.114.7";

export function whyNoRouter(): string | null {
  const lack = whyNoNamespaces();
  if (lack !== null) return lack;
  const missing = ["miniupnpd", "nft"].find((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  return missing === undefined ? null : `${missing} is not installed`;
}

// miniupnpd fills the chains that have its name. It wants a real interface as its WAN: a dummy has no type that it knows.
const RULES = `table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "eth0" accept
    jump miniupnpd
  }
  chain miniupnpd {
  }
  chain prerouting {
    type nat hook prerouting priority -100;
    jump prerouting_miniupnpd
  }
  chain prerouting_miniupnpd {
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump postrouting_miniupnpd
    oifname "wan" masquerade
  }
  chain postrouting_miniupnpd {
  }
}
`;

export async function openHomeRouter(): Promise<HomeRouter> {
  const folder = await mkdtemp(path.join(tmpdir(), "becket-router-"));
  const router = await openNamespace();
  const machine = await openNamespace();
  await connectNamespaces(router, `${ROUTER_ADDRESS}/24`, machine, `${MACHINE_ADDRESS}/24`);
  await machine.exec.run(["ip", "route", "add", "default", "via", ROUTER_ADDRESS]);
  await router.exec.run(["ip", "link", "add", "dev", "wan", "type", "veth", "peer", "name", "far"]);
  const stdin = `address add ${EXTERNAL_ADDRESS}/24 dev wan\nlink set dev wan up\nlink set dev far up\n`;
  await router.exec.run(["ip", "-batch", "-"], { stdin });
  await router.exec.run(["nft", "-f", "-"], { stdin: RULES });
  // A cable carries from a moment after it is up; only then do the machine's programs see its address.
  await eventually(async () => {
    const { stdout } = await machine.exec.run(["ip", "link", "show", "dev", "eth0"]);
    if (!stdout.includes("state UP")) throw new Error("eth0 does not carry");
  });
  const config = path.join(folder, "miniupnpd.conf");
  const log = path.join(folder, "log");
  const leases = path.join(folder, "leases");
  let daemon: ChildProcess | null = null;

  async function stop(): Promise<void> {
    if (daemon !== null && daemon.exitCode === null) {
      const ended = once(daemon, "exit");
      await router.exec.run(["kill", "-KILL", await readPid()]);
      await ended;
    }
    daemon = null;
    await rm(leases, { force: true });
    for (const chain of ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"]) {
      await router.exec.run(["nft", "flush", "chain", "inet", "filter", chain]);
    }
  }
  const readPid = async () => (await router.files.read(path.join(folder, "pid")))?.trim() ?? "";

  return {
    router,
    machine,
    async mappings() {
      const text = (await router.files.read(leases)) ?? "";
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => {
        const [protocol, port, address, internal, expiry, description] = line.split(":");
        return `${protocol} ${port} ${address}:${internal} ${expiry} ${description}`;
      });
    },
    async start(options = {}) {
      await writeFile(config, renderConfig(leases, options));
      const [command, ...args] = [...router.enter, "miniupnpd", "-d", "-f", config, "-P", path.join(folder, "pid")];
      const out = openSync(log, "w");
      daemon = spawn(command as string, args, { stdio: ["ignore", out, out] });
      closeSync(out);
      // SSDP and NAT-PMP come last; with UPnP switched off there is no SSDP.
      const port = options.speaksNatPmp === false ? 1900 : 5351;
      await eventually(async () => {
        const { stdout } = await router.exec.run(["ss", "-Hlun", `sport = :${port}`]);
        if (stdout === "") throw new Error(`miniupnpd does not listen:\n${await router.files.read(log)}`);
      });
    },
    stop,
    async close() {
      await Promise.all([router.close(), machine.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

function renderConfig(leases: string, options: RouterOptions): string {
  const { speaksUpnp = true, speaksNatPmp = true, isIgd1 = false, maxLifetimeSeconds = 86_400 } = options;
  const say = (value: boolean) => (value ? "yes" : "no");
  return `ext_ifname=wan
listening_ip=eth0
http_port=5000
ipv6_disable=yes
enable_upnp=${say(speaksUpnp)}
enable_natpmp=${say(speaksNatPmp)}
force_igd_desc_v1=${say(isIgd1)}
secure_mode=yes
min_lifetime=${Math.min(120, maxLifetimeSeconds - 1)}
max_lifetime=${maxLifetimeSeconds}
uuid=5f0b6c1e-7a52-4f0e-9d2b-0123456789ab
lease_file=${leases}
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}
