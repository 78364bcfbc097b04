import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { createFront } from "./front.ts";
import { toAssetName } from "./kept-assets.ts";

const FOR_GOOD = { "cache-control": "public, max-age=31536000, immutable", etag: '"1"' };

async function start(handler: RequestListener) {
  const asked: string[] = [];
  const upstream = createServer((request, response) => {
    asked.push(request.url ?? "");
    handler(request, response);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port: upstreamPort } = upstream.address() as { port: number };
  const front = createFront({ upstreamPort, clientHeader: "x-becket-client-1", trustedProxies: [] });
  const port = await front.listen("127.0.0.1", 0);
  onTestFinished(() => {
    front.close();
    upstream.close();
    upstream.closeAllConnections();
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { "accept-encoding": "gzip", ...headers } });
  return { asked, get };
}

describe("a file that is named by its content", () => {
  it("is asked for once, and given again with the headers that it came with", async () => {
    const text = "const a = 1;".repeat(50_000);
    const { asked, get } = await start((_, response) => {
      response.writeHead(200, { ...FOR_GOOD, "content-encoding": "gzip", "content-type": "text/javascript" });
      const packed = gzipSync(text);
      response.write(packed.subarray(0, 20));
      response.end(packed.subarray(20));
    });
    for (const turn of [1, 2, 3]) {
      const response = await get("/assets/libraries-1a.js");
      expect(await response.text(), `turn ${turn}`).toBe(text);
      expect(Object.fromEntries(response.headers)).toMatchObject({ ...FOR_GOOD, "content-type": "text/javascript" });
      expect(Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now())).toBeLessThan(60_000);
    }
    expect(asked).toEqual(["/assets/libraries-1a.js"]);
  });

  it("is asked for again by who wants a part of it, or accepts other encodings", async () => {
    const { asked, get } = await start((_, response) => response.writeHead(200, FOR_GOOD).end("a"));
    await (await get("/assets/a.js")).text();
    for (const headers of [{ range: "bytes=0-1" }, { "if-none-match": '"1"' }, { "accept-encoding": "identity" }]) {
      await (await get("/assets/a.js", headers)).text();
    }
    expect(asked).toHaveLength(4);
  });
});

it.each([
  ["is not said to stay", "/assets/a.js", 200, { "cache-control": "public, max-age=60" }],
  ["is not there", "/assets/a.js", 404, FOR_GOOD],
  ["is elsewhere", "/api/v1/me", 200, FOR_GOOD],
])("what %s is asked for each time", async (_, path, status, headers) => {
  const { asked, get } = await start((__, response) => response.writeHead(status, headers).end("a"));
  for (let turn = 0; turn < 2; turn++) await (await get(path)).text();
  expect(asked).toEqual([path, path]);
});

it("keeps nothing of an answer that was cut off", async () => {
  let isWhole = false;
  const { asked, get } = await start((_, response) => {
    response.writeHead(200, { ...FOR_GOOD, "content-length": "4" }).write("ab");
    if (isWhole) response.end("cd");
    else setImmediate(() => response.destroy());
  });
  await expect(get("/assets/a.js").then((response) => response.text())).rejects.toThrow();
  isWhole = true;
  expect(await (await get("/assets/a.js")).text()).toBe("abcd");
  expect(await (await get("/assets/a.js")).text()).toBe("abcd");
  expect(asked).toHaveLength(2);
});

test("a file has few names, however it is asked for", () => {
  const name = (accepted: string, path = "/assets/a.js", method = "GET") =>
    toAssetName(method, path, ["Accept-Encoding", accepted]);
  expect(name("gzip, deflate, br, zstd")).toBe(name("zstd,br, GZIP"));
  expect(name("gzip")).not.toBe(name("deflate"));
  expect([name("gzip;q=0"), name("", "/assets/a.js?1"), name("", "/assets/../a.js"), name("", "/a.js")]).toEqual(
    Array(4).fill(null),
  );
  expect(name("", "/assets/a.js", "HEAD")).toBeNull();
});
