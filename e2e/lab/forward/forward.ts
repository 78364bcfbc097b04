// A port of the host's 127.0.0.1 that leads to a TCP port inside a node, without routes: labs use equal addresses.
//
//   host 127.0.0.1:PORT ── unix socket in the lab's folder ── process inside the node ── address:port
//
// Files are shared between namespaces, networks are not: that is why the unix socket can be the door.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import path from "node:path";
import type { LabNode } from "../node.ts";
import { toolEnvironment } from "../system/exec.ts";
import { joinSockets } from "./join-sockets.ts";

export interface ForwardTarget {
  readonly port: number;
  /** The node from which the connection is made; default: `control`. */
  readonly node?: string;
  /** Default: the node's own IPv4 address. */
  readonly address?: string;
  /** The port on 127.0.0.1; default: a free one. */
  readonly hostPort?: number;
}

export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

export async function startForward(node: LabNode, target: ForwardTarget): Promise<Forward> {
  const address = target.address ?? node.ipv4 ?? node.ipv6 ?? "localhost";
  const socketPath = path.join(node.files.folder, `forward-${randomBytes(4).toString("hex")}.sock`);
  const inside = path.join(import.meta.dirname, "inside.ts");
  const [file = "", ...args] = node.argv([process.execPath, inside, socketPath, address, String(target.port)]);
  // Its standard input is its life line: it ends when this process does, however.
  const helper = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], detached: true, env: toolEnvironment() });
  const ready = await Promise.race([once(helper.stdout, "data"), once(helper, "exit").then(() => null)]);
  if (ready === null) throw new Error(`the forward into ${node.name} did not start`);

  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    joinSockets(socket, connect({ path: socketPath, allowHalfOpen: true }));
  });
  server.listen(target.hostPort ?? 0, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    helper.kill("SIGKILL");
    throw error;
  }
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    if (helper.exitCode !== null || helper.signalCode !== null) return;
    const exited = once(helper, "exit");
    helper.kill("SIGKILL");
    await exited;
  };
  return { port: (server.address() as AddressInfo).port, close };
}
