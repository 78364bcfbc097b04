import { describe, expect, it } from "vitest";
import { CommandFailure } from "./exit-codes.ts";
import { parsePathSettings } from "./path-settings.ts";

function refusalOf(env: Record<string, string>): CommandFailure {
  try {
    parsePathSettings(env);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("what the operator says of paths", () => {
  it("is nothing by default: no endpoints, the control plane's STUN servers", () => {
    for (const env of [{}, { BECKET_ENDPOINTS: "", BECKET_STUN_SERVERS: " " }]) {
      expect(parsePathSettings(env)).toEqual({ staticEndpoints: [], stunServers: null });
    }
  });

  it("is a list of endpoints, of both families, with commas or blanks between", () => {
    const BECKET_ENDPOINTS = "198.51.100.7:51820, [2001:db8::7]:51820 203.0.113.7:1";
    expect(parsePathSettings({ BECKET_ENDPOINTS }).staticEndpoints).toEqual([
      "198.51.100.7:51820",
      "[2001:db8::7]:51820",
      "203.0.113.7:1",
    ]);
  });

  it("is a list of STUN servers of its own, or none at all", () => {
    expect(parsePathSettings({ BECKET_STUN_SERVERS: "stun.example.org:3478,[2001:db8::1]:3478" }).stunServers).toEqual([
      "stun.example.org:3478",
      "[2001:db8::1]:3478",
    ]);
    expect(parsePathSettings({ BECKET_STUN_SERVERS: "none" }).stunServers).toEqual([]);
  });

  it.each([
    ["BECKET_ENDPOINTS", "198.51.100.7"],
    ["BECKET_ENDPOINTS", "example.org:51820"],
    ["BECKET_ENDPOINTS", "198.51.100.7:0"],
    ["BECKET_ENDPOINTS", "198.51.100.7:65536"],
    ["BECKET_STUN_SERVERS", "stun.example.org"],
    ["BECKET_STUN_SERVERS", "none,stun.example.org:3478"],
  ])("is refused with its name and the part that is wrong: %s=%s", (name, text) => {
    const { message, exitCode } = refusalOf({ [name]: text });
    expect(exitCode).toBe(2);
    expect(message).toContain(`${name}: "${text.split(",")[0]}"`);
  });

  it("may not be more than others are told", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `198.51.100.7:${index + 1}`).join();
    expect(parsePathSettings({ BECKET_ENDPOINTS: many(8) }).staticEndpoints).toHaveLength(8);
    expect(refusalOf({ BECKET_ENDPOINTS: many(9) }).message).toContain("8 endpoints at most");
    expect(refusalOf({ BECKET_STUN_SERVERS: many(9) }).message).toContain("8 servers at most");
  });
});
