import net from "node:net";
import { expect, test } from "vitest";
import { parseEndpoint } from "#schema/address";
import { listenHttp } from "./http-listener.ts";

async function findAddress() {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const address = parseEndpoint(`127.0.0.1:${port}`);
  if (address === null) throw new Error("it is an address");
  return { ...address, url: `http://127.0.0.1:${port}` };
}

test("answers, survives an answer that fails, and lets go of its port", async () => {
  const { url, ...address } = await findAddress();
  const listener = await listenHttp(address, async ({ method, path, accept }) => {
    if (path === "/broken") throw new Error("broken");
    return { status: 200, contentType: "text/plain", body: `${method} ${path} ${accept} ü` };
  });
  await expect(fetch(`${url}/broken`)).rejects.toThrow();
  const response = await fetch(`${url}/a?b`, { headers: { accept: "x/y" } });
  expect([response.headers.get("content-type"), await response.text()]).toEqual(["text/plain", "GET /a?b x/y ü"]);
  await expect(listenHttp(address, () => Promise.reject())).rejects.toMatchObject({ code: "EADDRINUSE" });
  await listener.close();
  const again = await listenHttp(address, () => Promise.reject());
  await again.close();
});
