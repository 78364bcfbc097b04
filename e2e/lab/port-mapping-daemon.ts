// miniupnpd in a router's namespaces: UPnP, NAT-PMP and PCP, as home routers offer them. It ends with the lab.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "./node.ts";
import { eventually } from "./probes/eventually.ts";
import type { LabProcess } from "./system/process.ts";

const START_LIMIT_MS = 10_000;

/** Resolves when it answers. */
export async function startPortMappingDaemon(router: LabNode): Promise<LabProcess> {
  const { folder } = router.files;
  const file = path.join(folder, "miniupnpd.conf");
  writeFileSync(file, renderConfig(router.name));
  const daemon = await router.spawn(["miniupnpd", "-d", "-f", file, "-P", path.join(folder, "miniupnpd.pid")]);
  // It is the last of its sockets; the log has the lines of those before a restart too.
  const isListening = async () =>
    daemon.isRunning() && (await router.exec(["ss", "-Hlun", "sport = :5351"])).stdout !== "";
  try {
    await eventually(isListening, { withinMs: START_LIMIT_MS, describe: `miniupnpd listens on ${router.name}` });
  } catch (error) {
    throw new Error(`miniupnpd did not start:\n${readFileSync(daemon.logFile, "utf8")}`, { cause: error });
  }
  return daemon;
}

/** The chains are those of plan/nat.ts. */
function renderConfig(name: string): string {
  return `ext_ifname=wan
listening_ip=lan
http_port=5000
enable_upnp=yes
enable_natpmp=yes
secure_mode=yes
friendly_name=${name}
uuid=5f0b6c1e-7a52-4f0e-9d2b-${Buffer.from(name.padEnd(6)).toString("hex").slice(0, 12)}
min_lifetime=10
max_lifetime=86400
notify_interval=60
upnp_table_name=lab
upnp_nat_table_name=lab
upnp_forward_chain=miniupnpd
upnp_nat_chain=miniupnpd_prerouting
upnp_nat_postrouting_chain=miniupnpd_postrouting
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}
