// An HTTP proxy as companies have them, in any node of the lab: tinyproxy. It ends with the lab.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";

const PORT = 3128;
const START_LIMIT_MS = 10_000;

export interface ConnectProxy {
  /** As a machine's HTTPS_PROXY: `http://address:port`. */
  readonly url: string;
  /** Tunnels that it has opened so far, by what was asked for: `192.0.2.10:8080`. */
  tunnels(): string[];
}

/** `address`: the one of the node's that its users call. */
export async function startConnectProxy(node: LabNode, address: string): Promise<ConnectProxy> {
  const file = path.join(node.files.folder, "tinyproxy.conf");
  const lines = [
    `Listen ${address}`,
    `Port ${PORT}`,
    "Timeout 600",
    "MaxClients 100",
    "LogLevel Connect",
    "ConnectPort 443",
    "ConnectPort 8080",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const { logFile } = await node.spawn(["tinyproxy", "-d", "-c", file]);
  await eventually(async () => (await node.exec(["ss", "-Hltn", `sport = :${PORT}`])).stdout !== "", {
    withinMs: START_LIMIT_MS,
    describe: "the proxy listens",
  });
  return {
    url: `http://${address}:${PORT}`,
    tunnels: () =>
      [...readFileSync(logFile, "utf8").matchAll(/: CONNECT (\S+) HTTP/g)].map(([, target = ""]) => target),
  };
}
