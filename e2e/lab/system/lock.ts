// A lock between processes of this host: an abstract unix socket, which the kernel frees when its holder ends, however.
import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const RETRY_MS = 20;

export async function withLock<T>(name: string, task: () => Promise<T> | T, withinMs = 60_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  let server = await tryLock(name);
  while (server === null) {
    if (performance.now() > deadline) throw new Error(`another process has held the lock ${name} for ${withinMs} ms`);
    await delay(RETRY_MS);
    server = await tryLock(name);
  }
  try {
    return await task();
  } finally {
    server.close();
  }
}

function tryLock(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(null) : reject(error),
    );
    server.listen(`\0${name}`, () => resolve(server));
  });
}
