// Two STUN servers of the lab, each a real coturn with two addresses of either family (RFC 5780). They end with the lab.
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { STUN_ADDRESSES } from "../lab/plan/plan.ts";
import { eventually } from "../lab/probes/eventually.ts";

const PORT = 3478;
const START_LIMIT_MS = 15_000;

export interface StunServers {
  /** `host:port`, as BECKET_STUN_SERVERS takes them: each server's first address of either family. */
  readonly servers: readonly string[];
}

export async function startStunServers(
  lab: Lab,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<StunServers> {
  const { stun } = lab;
  for (const [index, { ipv4, ipv6 }] of STUN_ADDRESSES.entries()) {
    const addresses = [...ipv4, ...ipv6].flatMap((address) => ["--listening-ip", address]);
    const pidFile = path.join(stun.files.folder, `turnserver-${index}.pid`);
    await stun.spawn([
      "turnserver",
      "-n",
      "--stun-only",
      "--listening-port",
      String(PORT),
      ...addresses,
      "--no-tcp",
      "--no-tls",
      "--no-dtls",
      "--no-cli",
      "--relay-threads",
      "1",
      "--log-file",
      "stdout",
      "--pidfile",
      pidFile,
    ]);
  }
  const sockets = STUN_ADDRESSES.flatMap(({ ipv4, ipv6 }) => [...ipv4, ...ipv6]).length;
  await eventually(
    async () => (await stun.exec(["ss", "-Hlun", `sport = :${PORT}`])).stdout.trim().split("\n").length === sockets,
    { withinMs: START_LIMIT_MS, describe: "the STUN servers listen", ...(signal && { signal }) },
  );
  return { servers: STUN_ADDRESSES.flatMap(({ ipv4, ipv6 }) => [`${ipv4[0]}:${PORT}`, `[${ipv6[0]}]:${PORT}`]) };
}
