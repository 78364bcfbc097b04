import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createServerClock } from "./server-clock.ts";

const HOUR_MS = 3_600_000;
const toHeader = (ms: number) => new Date(ms).toUTCString();

test.each([HOUR_MS, -HOUR_MS, 10_000, -10_000])("finds out that it is off by %i ms", async (offMs) => {
  const clock = createFakeClock();
  const server = createServerClock(clock);
  const sentAt = clock.now();
  await clock.advance(80);
  server.observe(toHeader(clock.now() - offMs), sentAt);
  expect(Math.abs(server.now() - (clock.now() - offMs))).toBeLessThan(1_000);
});

test("takes what whole seconds and the way of the answer make of it as noise", async () => {
  const clock = createFakeClock();
  const server = createServerClock(clock);
  server.observe(toHeader(clock.now() + 1_900), clock.now());
  expect(server.skewMs()).toBe(0);
});

test("a machine whose clock was set right in between is right again", () => {
  const clock = createFakeClock();
  const server = createServerClock(clock);
  server.observe(toHeader(clock.now() + HOUR_MS), clock.now());
  server.observe(toHeader(clock.now()), clock.now());
  expect(server.skewMs()).toBe(0);
});

test("a poll that was held for long says no less", async () => {
  const clock = createFakeClock();
  const server = createServerClock(clock);
  const sentAt = clock.now();
  await clock.advance(25_000);
  server.observe(toHeader(clock.now()), sentAt);
  expect(server.skewMs()).toBe(0);
});

test.each([undefined, "", "yesterday"])("learns nothing from %j", (header) => {
  const server = createServerClock(createFakeClock());
  server.observe(header, 0);
  expect(server.skewMs()).toBe(0);
});
