import net from "node:net";
import type { SocketTarget } from "./probes.ts";

export function connectTcp({ host, port }: SocketTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = net.connect({ host, port });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", onAbort);
      // Not half-closed: a service that never closes its side would keep the socket.
      socket.destroy();
      settle();
    };
    socket.on("connect", () => end(resolve));
    socket.on("error", (error) => end(() => reject(error)));
  });
}
