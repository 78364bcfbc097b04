import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLocalSockets, type LocalRequest } from "./local-socket.ts";

const sockets = createLocalSockets();
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "becket-socket-"));
  file = path.join(folder, "agent.sock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const echo = async (request: LocalRequest) => ({ status: 200, body: request });
const get = (name: string) => sockets.request(name, { method: "GET", path: "/x", body: undefined }, 1_000);

test("carries requests and replies, for its owner only", async () => {
  const server = await sockets.serve(file, echo);
  const request = { method: "POST", path: "/y", body: { forget: true } };
  expect(await sockets.request(file, request, 1_000)).toEqual({ status: 200, body: request });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await server?.close();
  expect([await get(file), readdirSync(folder)]).toEqual([null, []]);
});

test("answers a failure of the handler as one", async () => {
  const server = await sockets.serve(file, async () => {
    throw new Error("broken");
  });
  expect(await get(file)).toMatchObject({ status: 500, body: { message: "Error: broken" } });
  await server?.close();
});

test("there is one server at a time", async () => {
  const first = await sockets.serve(file, echo);
  expect(await sockets.serve(file, echo)).toBeNull();
  expect(await get(file)).toMatchObject({ status: 200 });
  await first?.close();
  const next = await sockets.serve(file, echo);
  expect(next).not.toBeNull();
  await next?.close();
});

test("takes the place of one that was killed", async () => {
  await leaveDeadSocket();
  expect(await get(file)).toBeNull();
  const server = await sockets.serve(file, echo);
  expect(await get(file)).toMatchObject({ status: 200 });
  await server?.close();
});

test("a network is locked by one at a time, also when the one before was killed", async () => {
  const name = `becket-test-${path.basename(folder)}`;
  const program = `require("net").createServer().listen(${JSON.stringify(`\0${name}`)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const locks = createLocalSockets(name);
  expect(await locks.lockNetwork()).toBeNull();
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  const lock = await locks.lockNetwork();
  expect([lock === null, await createLocalSockets(name).lockNetwork()]).toEqual([false, null]);
  await lock?.close();
  const next = await locks.lockNetwork();
  expect(next).not.toBeNull();
  await next?.close();
});

/** What SIGKILL leaves: a name that nobody listens on. */
async function leaveDeadSocket(): Promise<void> {
  const program = `require("net").createServer().listen(${JSON.stringify(file)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
