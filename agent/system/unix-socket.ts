// One question and one answer over a unix socket.
import net from "node:net";
import { getSystemErrorMap } from "node:util";

/**
 * Resolves with what came until its end. Null: nobody listens there. Rejects when it takes too long, or when the other side closes before the
 * end (`isClosedEarly`).
 */
export type AskSocket = (file: string, question: SocketQuestion) => Promise<string | null>;

export interface SocketQuestion {
  readonly text: string;
  /** The last of the answer, or whether what came so far is all of it. */
  readonly end: string | ((received: string) => boolean);
  readonly timeoutMs: number;
}

/**
 * Calls back once when whoever listens there is gone. The returned function ends the watch. Null: nobody listens there. A watch doesn't keep
 * the process alive.
 */
export type WatchSocket = (file: string, onGone: () => void) => Promise<(() => void) | null>;

/** Of an `AskSocket`: there was somebody who is gone, as one that died while it answered. */
export const isClosedEarly = (error: unknown): boolean =>
  error instanceof Error && CLOSED_EARLY.has((error as NodeJS.ErrnoException).code ?? "");

/** What errno(3) calls it: `EADDRINUSE (address already in use)`. */
export function describeErrno(errno: number): string {
  const [name, message] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown"];
  return `${name} (${message})`;
}

/** The system's, where it had not read the question, or could not be asked it. */
const CLOSED_EARLY = new Set(["ECONNRESET", "EPIPE"]);
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);

export const askSocket: AskSocket = (file, { text, end, timeoutMs }) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(file);
    const timer = setTimeout(
      () => settle(() => reject(new Error(`${file} took longer than ${timeoutMs} ms`))),
      timeoutMs,
    );
    let received = "";
    const isWhole = typeof end === "string" ? () => received.endsWith(end) : () => end(received);
    const settle = (how: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      how();
    };
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write(text));
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (isWhole()) settle(() => resolve(received));
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      settle(() => (NOBODY.has(error.code ?? "") ? resolve(null) : reject(error))),
    );
    socket.once("close", () => settle(() => reject(toClosedEarly(file))));
  });

const toClosedEarly = (file: string): Error =>
  Object.assign(new Error(`${file} was closed before the end of its answer`), { code: "ECONNRESET" });

export const watchSocket: WatchSocket = (file, onGone) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(file);
    let isWatching = false;
    socket.unref();
    // What it says is nothing to us, but unread it would hold the close back.
    socket.resume();
    socket.once("connect", () => {
      isWatching = true;
      resolve(() => {
        isWatching = false;
        socket.destroy();
      });
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      NOBODY.has(error.code ?? "") ? resolve(null) : reject(error),
    );
    socket.once("close", () => {
      if (isWatching) onGone();
    });
  });
