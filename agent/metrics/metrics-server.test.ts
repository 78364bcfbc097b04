import { expect, test } from "vitest";
import { parseEndpoint } from "#schema/address";
import { AGENT_METRICS } from "#schema/metrics/agent-metrics";
import { createMetricsPage } from "#schema/metrics/metrics-page";
import type { ListenHttp, ListenRequest } from "../system/http-listener.ts";
import { createLogger } from "../system/logger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { startMetricsServer } from "./metrics-server.ts";

const ADDRESS = parseEndpoint("127.0.0.1:9586") ?? never();
const GET: ListenRequest = { method: "GET", path: "/metrics", accept: null };

function never(): never {
  throw new Error("it is an address");
}

function createServer(refusals: readonly string[] = []) {
  const clock = createFakeClock(0);
  const logs: string[] = [];
  const log = createLogger({ level: "debug", format: "json", now: clock.now, write: (line) => logs.push(line) });
  const state = { reads: 0, tries: 0, closed: 0, isBroken: false };
  let answer: Parameters<ListenHttp>[1] | null = null;
  const listenHttp: ListenHttp = async (_, take) => {
    const code = refusals[state.tries++];
    if (code !== undefined) throw Object.assign(new Error(`listen ${code}`), { code });
    answer = take;
    return {
      async close() {
        state.closed++;
      },
    };
  };
  const read = async () => {
    state.reads++;
    if (state.isBroken) throw new Error("broken");
    const page = createMetricsPage(AGENT_METRICS);
    page.set("becket_agent_failures", {}, state.reads);
    return page;
  };
  const server = startMetricsServer({ listenHttp, clock, log, read }, ADDRESS);
  const ask = async (change: Partial<ListenRequest> = {}) => (answer ?? never())({ ...GET, ...change });
  return { server, clock, state, logs, ask };
}

test("answers at /metrics only, to GET only, in the format that is asked for", async () => {
  const { ask, server, clock } = createServer();
  await clock.advance(1);
  expect(await ask()).toMatchObject({ status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8" });
  expect(await ask({ accept: "application/openmetrics-text" })).toMatchObject({
    body: expect.stringMatching(/# EOF\n$/),
  });
  const statuses = [
    ask({ path: "/" }),
    ask({ path: "/metrics/x" }),
    ask({ method: "POST" }),
    ask({ path: "/metrics?a=b" }),
  ];
  expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([404, 404, 405, 200]);
  await server.close();
});

test("reads once a second, however many ask", async () => {
  const { ask, state, clock, server } = createServer();
  await clock.advance(1);
  await Promise.all([ask(), ask(), ask({ accept: "application/openmetrics-text" })]);
  expect(state.reads).toBe(1);
  await clock.advance(1_000);
  expect((await ask()).body).toContain("becket_agent_failures 2");
  await server.close();
});

test("what can't be read is said, logged, and read again", async () => {
  const { ask, state, clock, logs, server } = createServer();
  await clock.advance(1);
  state.isBroken = true;
  expect(await ask()).toMatchObject({ status: 500, body: expect.not.stringContaining("broken") });
  expect(logs.join("\n")).toContain("broken");
  state.isBroken = false;
  expect(await ask()).toMatchObject({ status: 200 });
  await server.close();
});

test("an address that is taken or missing is tried again, and is a failure until then", async () => {
  const { server, clock, state, logs } = createServer(["EADDRINUSE", "EADDRINUSE", "EADDRNOTAVAIL"]);
  await clock.advance(1);
  expect(server.failures()).toMatchObject([{ step: "metrics.listen", code: "port_in_use" }]);
  await clock.advance(10_000);
  expect(server.failures()).toMatchObject([{ code: "address_missing" }]);
  await clock.advance(5_000);
  expect([server.failures(), state.tries]).toEqual([[], 4]);
  expect(logs.filter((line) => line.includes("can't be served"))).toHaveLength(2);
  await server.close();
  expect(state.closed).toBe(1);
});

test("a server that was closed tries no more", async () => {
  const { server, clock, state } = createServer(["EADDRINUSE", "EADDRINUSE"]);
  await clock.advance(1);
  await server.close();
  await clock.advance(60_000);
  expect(state.tries).toBe(1);
});
