import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import { JoinTokenSecret } from "#schema/wire/enrolment";
import { generateEd25519Pem, parseEd25519Pem } from "../system/ed25519.ts";
import { createHttp } from "../system/http.ts";
import { createLogger, silentLogger } from "../system/logger.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { createFakeControlPlane, type FakeControlPlane } from "../testing/fake-control-plane.ts";
import { TEST_TOKEN } from "../testing/test-machine.ts";
import { type EnrolmentOptions, enrol } from "./enrol.ts";
import { createServerClock } from "./server-clock.ts";

let plane: FakeControlPlane;
let clock: FakeClock;
const key = parseEd25519Pem(generateEd25519Pem());
beforeEach(async () => {
  clock = createFakeClock(Date.now());
  plane = await createFakeControlPlane(clock.now);
});
afterEach(() => plane.close());

const options = (changes: Partial<EnrolmentOptions> = {}): EnrolmentOptions => ({
  url: plane.url,
  token: TEST_TOKEN,
  key,
  hostname: "host-1",
  agent: { agentVersion: "0", nodeVersion: "0", kernelVersion: "0", wireguard: "kernel" },
  http: createHttp({}),
  clock,
  serverClock: createServerClock(clock),
  random: () => 0.5,
  log: silentLogger,
  userAgent: "test",
  signal: new AbortController().signal,
  ...changes,
});

/** Runs it with time passing, and tells when each request was made. */
async function enrolWithTime(changes: Partial<EnrolmentOptions> = {}) {
  const times: number[] = [];
  const startedAt = clock.now();
  const { http } = options();
  const recorded = {
    ...http,
    request: (request: Parameters<typeof http.request>[0]) => {
      times.push(clock.now() - startedAt);
      return http.request(request);
    },
  };
  let isDone = false;
  const result = enrol(options({ http: recorded, ...changes })).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await clock.advance(50);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { result: await result, times };
}

describe("an enrolment", () => {
  test("gives the machine, and the same machine when it is repeated with the same key", async () => {
    const first = await enrol(options());
    expect(first).toMatchObject({ ok: true, value: { machineId: plane.machineId } });
    expect(await enrol(options())).toEqual(first);
  });

  test.each([
    ["join_token_invalid", /does not know this join token.*new one/],
    ["join_token_expired", /expired.*new one/],
    ["join_token_used_up", /used as often.*new one/],
    ["join_token_revoked", /revoked.*new one/],
    ["signature_invalid", /signature.*proxy/],
    ["machine_removed", /was removed.*becket down --forget/],
    ["wire_version_unsupported", /too old or too new.*Install/],
    ["address_pool_exhausted", /no free address.*Remove members/],
    ["forbidden", /refused the enrolment/],
  ] satisfies [ErrorCode, RegExp][])("explains %s with cause and remedy, at once", async (code, sentence) => {
    plane.levers.enrolment = code;
    const { result, times } = await enrolWithTime();
    expect(result).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(sentence) } });
    expect([times.length, ERROR_STATUS[code] < 500]).toEqual([1, true]);
  });

  test("is repeated with growing, random waits while the control plane is away", async () => {
    await plane.goDown();
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    const log = createLogger({ level: "info", format: "text", now: clock.now, write });
    const pending = enrolWithTime({ log });
    for (let count = 0; count < 40; count++) await new Promise((resolve) => setTimeout(resolve, 2));
    await plane.goUp();
    const { result, times } = await pending;
    expect(result.ok).toBe(true);
    expect(lines[0]).toMatch(/enrolling url=http:/);
    expect(lines[1]).toMatch(
      /did not get through; it is tried again until .* Is the URL right\?.*refused the connection/,
    );
    expect(lines.slice(2).join("\n")).toMatch(/^.* still does not get through/);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits.length).toBeGreaterThan(2);
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  });

  test("waits as long as Retry-After says", async () => {
    plane.levers.failNext = { times: 1, status: 503, code: "unavailable", retryAfter: "7" };
    const { result, times } = await enrolWithTime();
    expect(result.ok).toBe(true);
    expect(times[1]).toBeGreaterThanOrEqual(7_000);
    expect(times[1]).toBeLessThan(8_500);
  });

  test("says so when what answers is no control plane", async () => {
    plane.levers.failNext = { times: 1, status: 404 };
    const { result } = await enrolWithTime();
    expect(result).toMatchObject({
      error: { code: "not_a_control_plane", message: expect.stringContaining("Check the URL") },
    });
  });

  test("ends when it is told to stop", async () => {
    await plane.goDown();
    const stop = new AbortController();
    const pending = enrol(options({ signal: stop.signal }));
    stop.abort(new Error("stop"));
    await expect(pending).rejects.toThrow("stop");
  });

  test("learns the control plane's time", async () => {
    plane.levers.now = () => clock.now() + 3_600_000;
    const serverClock = createServerClock(clock);
    await enrol(options({ serverClock }));
    expect(Math.round(serverClock.skewMs() / 10_000)).toBe(360);
  });

  test("the token of these tests is one", () => {
    expect(JoinTokenSecret.safeParse(TEST_TOKEN).success).toBe(true);
  });
});
