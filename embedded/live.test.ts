// A page's WebSocket as browsers open it: to the control plane as it runs, with the session's cookie and the page's Origin.
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { callApi, createStateFolder, startProcess } from "./testing/control-plane-process.ts";
import { createTestBrowser } from "./testing/test-browser.ts";

const argv = () => ["--port", "0", "--state", createStateFolder(), "--json", "--stun-servers", "none"];

/** It starts a program, and a busy machine makes it wait. */
const BUSY_MS = 120_000;

it("a page hears at once what another client changed, and nothing once its person is blocked; a page of elsewhere gets no socket", {
  timeout: BUSY_MS,
}, async () => {
  const ready = await startProcess(argv()).ready;
  const { url } = ready;
  const mesh = await callApi(ready, "POST", "/meshes", { name: "office", cidr: "10.77.0.0/16" });
  const link = await callApi(ready, "POST", "/login-links", { name: "viewer", role: "viewer" });
  const browser = createTestBrowser();
  const token = new URL(String(link.body.url)).hash.slice("#link=".length);
  await browser.send("POST", `${url}/api/v1/sign-in/link`, { body: { token } });
  const cookie = [...browser.cookiesOf(url)].map(([name, value]) => `${name}=${value}`).join("; ");
  const open = (origin: string) =>
    new WebSocket(`${url.replace("http", "ws")}/api/v1/meshes/${mesh.body.id}/live`, { headers: { cookie }, origin });

  const socket = open(url);
  const received: { type: string; changes?: { resource: string }[] }[] = [];
  socket.on("message", (data) => received.push(JSON.parse(String(data))));
  await expect.poll(() => received.map(({ type }) => type), { timeout: 10_000 }).toEqual(["live.welcome"]);
  await callApi(ready, "PATCH", `/meshes/${mesh.body.id}`, { name: "renamed" });
  const resources = () => received.flatMap(({ changes = [] }) => changes.map(({ resource }) => resource));
  await expect.poll(resources, { timeout: 3_000, interval: 20 }).toContain("mesh");

  // Who is let out of the control plane hears nothing more, however long the socket was good for.
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const { body: users } = await callApi(ready, "GET", "/users");
  const [viewer] = users.items as { id: string }[];
  await callApi(ready, "PATCH", `/users/${viewer?.id}`, { isBlocked: true });
  await expect.poll(() => socket.readyState, { timeout: 10_000 }).toBe(WebSocket.CLOSING);
  // workerd leaves the connection open for ten seconds more.
  socket.terminate();
  expect(await closed).toBe(4401);
  const heard = received.length;
  await callApi(ready, "PATCH", `/meshes/${mesh.body.id}`, { name: "renamed-again" });
  expect(received).toHaveLength(heard);
  const outside = await new Promise<string>((resolve) => open(url).once("error", (error) => resolve(error.message)));
  expect(outside).toContain("401");

  const refused = await new Promise<string>((resolve) =>
    open("https://evil.example").once("error", (error) => resolve(error.message)),
  );
  expect(refused).toContain("403");
});
