// A real STUN server, coturn, on two loopback addresses and two ports: what RFC 5780 wants.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Endpoint } from "#schema/address";
import { createUdpSockets } from "../system/udp.ts";

export interface Coturn {
  readonly server: Endpoint;
  readonly otherAddress: Endpoint;
  close(): Promise<void>;
}

/** Null when it is installed. */
export function whyNoCoturn(): string | null {
  return spawnSync("turnserver", ["--version"]).error === undefined ? null : "turnserver (coturn) is not installed";
}

/** It may need some time until it answers. */
export async function startCoturn(): Promise<Coturn> {
  const folder = await mkdtemp(path.join(tmpdir(), "becket-coturn-"));
  const [port, otherPort] = await findFreePorts();
  const child = spawn(
    "turnserver",
    [
      "-n",
      "--stun-only",
      ...["--listening-ip=127.0.0.1", "--listening-ip=127.0.0.2"],
      ...[`--listening-port=${port}`, `--alt-listening-port=${otherPort}`],
      ...["--no-tcp", "--no-tls", "--no-dtls", "--no-cli"],
      ...[`--pidfile=${folder}/pid`, `--userdb=${folder}/db`, "--log-file=stdout", "--simple-log"],
    ],
    { stdio: "ignore" },
  );
  return {
    server: `127.0.0.1:${port}` as Endpoint,
    otherAddress: `127.0.0.2:${otherPort}` as Endpoint,
    async close() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function findFreePorts(): Promise<[number, number]> {
  const udp = createUdpSockets();
  const [one, other] = await Promise.all([udp.open(), udp.open()]);
  const ports: [number, number] = [one.port, other.port];
  one.close();
  other.close();
  return ports;
}
