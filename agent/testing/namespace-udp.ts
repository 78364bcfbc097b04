// UDP sockets inside a namespace, worked by a process of its own there.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Endpoint } from "#schema/address";
import type { Namespace } from "./namespace.ts";
import type { UdpArrival, UdpOrder } from "./udp-process.ts";

export interface NamespaceUdp {
  readonly arrivals: readonly UdpArrival[];
  open(...ports: number[]): Promise<void>;
  /** Resolves when all are sent. Each carries its number as its last four bytes. */
  send(from: number, to: string, packet: Uint8Array, count?: number): Promise<void>;
  /** Forgets what arrived. */
  clear(): void;
}

/** It ends with the namespace. */
export function startNamespaceUdp({ enter }: Pick<Namespace, "enter">): NamespaceUdp {
  const [program, ...args] = [...enter, process.execPath, path.join(import.meta.dirname, "udp-process.ts")];
  const child = spawn(program ?? "", args, { stdio: ["pipe", "pipe", "inherit"] });
  let arrivals: UdpArrival[] = [];
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const arrival = JSON.parse(line) as UdpArrival;
    if (arrival.from === "") waiting.shift()?.();
    else arrivals.push(arrival);
  });
  const order = (what: UdpOrder) =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(what)}\n`);
    });
  return {
    get arrivals() {
      return arrivals;
    },
    async open(...ports) {
      for (const port of ports) await order({ port });
    },
    send: (from, to, packet, count = 1) =>
      order({ port: from, send: { to: to as Endpoint, hex: Buffer.from(packet).toString("hex"), count } }),
    clear() {
      arrivals = [];
    },
  };
}
