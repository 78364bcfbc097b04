import { expect, it } from "vitest";
import { PathReason, PeerTelemetry } from "./path.ts";

it("a machine's words can't disturb who reads them", () => {
  const message = `direct\u0000\u001b[2J \u202Eevil ${"x".repeat(60_000)}`;
  const told = PathReason.parse({ code: "direct", message }).message;
  expect(told.slice(0, 20)).toBe("direct\uFFFD\uFFFD[2J \uFFFDevil xx");
  expect(told.length).toBe(1_000);
});

it.each(["latencyMs", "handshakeAgeSeconds", "rxBytesPerSecond", "txBytesPerSecond"])(
  "%s is never negative",
  (name) => {
    const { error } = PeerTelemetry.safeParse({ [name]: -1 });
    expect(error?.issues.some(({ path, code }) => path[0] === name && code === "too_small")).toBe(true);
  },
);
