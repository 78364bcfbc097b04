// One question and one answer over a unix socket.
import net from "node:net";
import { getSystemErrorMap } from "node:util";

/**
 * Resolves with what came until `end`, which is the last of it. Null: nobody listens there. Rejects when it takes too long, or when the other
 * side closes before the end.
 */
export type AskSocket = (
  file: string,
  question: { readonly text: string; readonly end: string; readonly timeoutMs: number },
) => Promise<string | null>;

/** What errno(3) calls it: `EADDRINUSE (address already in use)`. */
export function describeErrno(errno: number): string {
  const [name, message] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown"];
  return `${name} (${message})`;
}

const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);

export const askSocket: AskSocket = (file, { text, end, timeoutMs }) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(file);
    const timer = setTimeout(
      () => settle(() => reject(new Error(`${file} took longer than ${timeoutMs} ms`))),
      timeoutMs,
    );
    let received = "";
    const settle = (how: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      how();
    };
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write(text));
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (received.endsWith(end)) settle(() => resolve(received));
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      settle(() => (NOBODY.has(error.code ?? "") ? resolve(null) : reject(error))),
    );
    socket.once("close", () => settle(() => reject(new Error(`${file} was closed before the end of its answer`))));
  });
