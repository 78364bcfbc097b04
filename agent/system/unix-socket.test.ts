import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { askSocket, isClosedEarly, watchSocket } from "./unix-socket.ts";

let folder = "";
const closing: (() => void)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "becket-socket-"));
});
afterAll(async () => {
  for (const close of closing) close();
  await rm(folder, { recursive: true });
});

async function serve(name: string, answer: (socket: net.Socket, question: string) => void): Promise<string> {
  const file = path.join(folder, name);
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => answer(socket, String(data)));
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  closing.push(() => server.close());
  return file;
}
const question = { text: "get=1\n\n", end: "\n\n", timeoutMs: 2_000 };

it("brings the whole answer, however it comes", async () => {
  const file = await serve("whole", (socket, text) => {
    socket.write(`asked=${text.length}\n`);
    setImmediate(() => socket.write("errno=0\n"));
    setImmediate(() => setImmediate(() => socket.write("\n")));
  });
  expect(await askSocket(file, question)).toBe("asked=7\nerrno=0\n\n");
});

it("says that nobody is there", async () => {
  expect(await askSocket(path.join(folder, "nobody"), question)).toBeNull();
});

it("fails when the other side closes in the middle", async () => {
  const file = await serve("half", (socket) => socket.end("errno"));
  const failure = await askSocket(file, question).catch((error: unknown) => error);
  expect(String(failure)).toContain("closed before the end");
  expect([failure, new Error("another")].map(isClosedEarly)).toEqual([true, false]);
});

it("does not wait for ever", async () => {
  const file = await serve("silent", () => undefined);
  await expect(askSocket(file, { ...question, timeoutMs: 20 })).rejects.toThrow("longer than 20 ms");
});

it("asks whether the answer is whole", async () => {
  const file = await serve("predicate", (socket) => {
    socket.write("hello\n");
    setImmediate(() => socket.write("0000 \nrest"));
  });
  const end = (received: string) => received.includes("0000 \n");
  expect(await askSocket(file, { ...question, end })).toContain("hello\n0000 \n");
});

it("tells when the other side is gone, and nothing after the watch", async () => {
  const sockets: net.Socket[] = [];
  const file = path.join(folder, "watched");
  const server = net.createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(file, resolve));
  closing.push(() => server.close());
  const calls: string[] = [];
  const gone = new Promise<void>((resolve) => {
    void watchSocket(file, () => {
      calls.push("watched");
      resolve();
    });
  });
  const stop = await watchSocket(file, () => calls.push("ended"));
  stop?.();
  await eventually(() => expect(sockets).toHaveLength(2));
  for (const socket of sockets) socket.destroy();
  await gone;
  expect(calls).toEqual(["watched"]);
  expect(await watchSocket(path.join(folder, "nobody"), () => undefined)).toBeNull();
});
