// One installer at a time on this host: an abstract unix socket, which the kernel frees when its holder ends, however.
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T> | T} task
 */
export async function withLock(name, task) {
  // Other systems have no abstract sockets; two first runs at once are theirs to avoid.
  if (process.platform !== "linux") return task();
  let server = await tryLock(name);
  if (server === null) process.stderr.write("becket: waiting for another run to finish installing …\n");
  while (server === null) {
    await delay(200);
    server = await tryLock(name);
  }
  try {
    return await task();
  } finally {
    server.close();
  }
}

/** @param {string} name */
function tryLock(name) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => ("code" in error && error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(`\0${name}`, () => resolve(server));
  });
}
