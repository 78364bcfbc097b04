import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { callApi, createStateFolder, startProcess } from "./testing/control-plane-process.ts";
import { isOnLoopback, listListeningSockets } from "./testing/listening-sockets.ts";

const isRoot = process.getuid?.() === 0;
const toArgv = (host: string, port = 0) => [
  ...["--host", host, "--port", String(port), "--state", createStateFolder(), "--json"],
];

/** All addresses would be this machine's too, so that runs in a network namespace that has a link of its own. */
function startInNamespace(host: string) {
  const script =
    "ip link set lo up && ip link add one type veth peer name other && ip address add 192.0.2.7/24 dev one && " +
    'ip address add 2001:db8::7/64 dev one nodad && ip link set one up && ip link set other up && exec "$@"';
  return startProcess(toArgv(host), { wrap: ["unshare", "-n", "sh", "-c", script, "sh"] });
}

/** Asks from within the namespace; the status is what a request without a token gets. */
const askInNamespace = (pid: number, url: string): string => {
  const request = `fetch(${JSON.stringify(`${url}/api/v1/meshes`)}).then(({ status }) => console.log(status))`;
  return execFileSync("nsenter", ["-t", String(pid), "-n", process.execPath, "-e", request], {
    encoding: "utf8",
  }).trim();
};

describe("the address that it is told to listen on", () => {
  it.each(["127.0.0.1", "127.0.0.2", "::1", "localhost"])("%s is announced, and answers", async (host) => {
    const ready = await startProcess(toArgv(host)).ready;
    expect(new URL(ready.url).hostname).toBe(host === "::1" ? "[::1]" : host);
    expect(ready.urls).toEqual([ready.url]);
    expect((await callApi(ready, "GET", "/meshes")).status).toBe(200);
  });

  it("takes the port that is asked for", async () => {
    const port = await findFreePort("127.0.0.2");
    const ready = await startProcess(toArgv("127.0.0.2", port)).ready;
    expect(ready.url).toBe(`http://127.0.0.2:${port}`);
    expect((await callApi(ready, "GET", "/meshes")).status).toBe(200);
  });

  it.each(["127.0.0.3", "::1"])("%s is the only one; all else listens on 127.0.0.1", async (host) => {
    const { pid, url } = await startProcess(toArgv(host)).ready;
    const sockets = listListeningSockets(pid);
    expect(sockets).toContain(new URL(url).host);
    expect(sockets.filter((socket) => !socket.startsWith("127.0.0.1:"))).toEqual([new URL(url).host]);
  });

  it.runIf(isRoot).each([
    ["0.0.0.0", "0.0.0.0", ["127.0.0.1", "192.0.2.7"]],
    ["::", "[::]", ["127.0.0.1", "192.0.2.7", "[2001:db8::7]"]],
  ])("%s is all addresses, and nothing but the Worker listens beyond loopback", async (host, listens, announced) => {
    const { pid, url, urls } = await startInNamespace(host).ready;
    const { port } = new URL(url);
    expect(listListeningSockets(pid).filter((socket) => !isOnLoopback(socket))).toEqual([`${listens}:${port}`]);
    expect(urls).toEqual(announced.map((name) => `http://${name}:${port}`));
    for (const each of urls) expect(askInNamespace(pid, each), each).toBe("401");
  });
});

function findFreePort(host: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    }),
  );
}
