// What a lab needs from the host, told before anything is made.
import { existsSync } from "node:fs";
import path from "node:path";
import { toolEnvironment } from "./system/exec.ts";

const TOOLS = [
  "ip",
  "nft",
  "conntrack",
  "nsenter",
  "unshare",
  "mount",
  "sysctl",
  "ping",
  "fping",
  "wg",
  "wireguard-go",
  "turnserver",
  "miniupnpd",
  "bird",
];
const PACKAGES =
  "iproute2 nftables conntrack util-linux mount procps iputils-ping fping wireguard-tools wireguard-go coturn miniupnpd-nftables bird2";

export const isRoot = (): boolean => process.getuid?.() === 0;

/** Throws, saying what is missing and how to get it. */
export function requireRoot(): void {
  if (process.platform !== "linux")
    throw new Error("the lab is made of Linux network namespaces: it runs on Linux only");
  if (!isRoot()) throw new Error("the lab makes network namespaces, which needs root: run it with sudo");
  const folders = (toolEnvironment().PATH ?? "").split(":");
  const missing = TOOLS.filter((tool) => !folders.some((folder) => existsSync(path.join(folder, tool))));
  if (missing.length > 0)
    throw new Error(`the lab needs ${missing.join(", ")}: apt-get install --no-install-recommends ${PACKAGES}`);
}
