// Two agents with folders of their own would fight over the interfaces of one network; only one process changes them at a time.
import type { LocalServer, LocalSockets } from "../system/local-socket.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

export async function takeNetwork(sockets: LocalSockets): Promise<LocalServer> {
  const lock = await sockets.lockNetwork();
  if (lock !== null) return lock;
  const message =
    "An agent runs here already, with another --run-dir: on this machine, or in a container that shares its network. Stop it first, or give the same --run-dir.";
  throw new CommandFailure(EXIT_CODES.alreadyRunning, message);
}
