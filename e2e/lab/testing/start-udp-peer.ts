// udp-peer.ts on a machine: hears, and says what it is told to say from the same port.
import { readFileSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../node.ts";
import { eventually } from "../probes/eventually.ts";

const PROGRAM = path.join(import.meta.dirname, "udp-peer.ts");
const PORT = 5000;

export interface UdpPeer {
  /** Lines `<address>:<port> <text>`, oldest first. */
  heard(): string[];
  /** Who has sent this text first, as `<address>:<port>`; waits for it. */
  heardFrom(text: string): Promise<string>;
  tell(to: { address: string; port?: number }, text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startUdpPeer(machine: LabNode): Promise<UdpPeer> {
  const listener = await machine.spawn([process.execPath, PROGRAM, String(PORT)]);
  const lines = () => readFileSync(listener.logFile, "utf8").trim().split("\n");
  await eventually(() => lines()[0] === "listening", { withinMs: 20_000, describe: `${machine.name} listens` });
  const heard = () => lines().slice(1);
  return {
    heard,
    heardFrom: (text) =>
      eventually(() => /^\S+/.exec(heard().find((line) => line.endsWith(` ${text}`)) ?? "")?.[0], {
        withinMs: 20_000,
        describe: `${machine.name} hears "${text}"`,
      }),
    tell: async ({ address, port = PORT }, text) => {
      const order = `tell ${address} ${port} ${text}`;
      // bash's own UDP: a process of Node for each word would take most of the tests' time.
      await machine.exec(["bash", "-c", `printf %s "$1" > /dev/udp/127.0.0.1/${PORT}`, "say", order]);
    },
    stop: async () => {
      await listener.stop();
    },
  };
}
