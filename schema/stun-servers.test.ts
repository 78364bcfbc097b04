import { describe, expect, test } from "vitest";
import { DEFAULT_STUN_SERVERS, parseStunServers } from "./stun-servers.ts";

describe("STUN servers as an operator writes them", () => {
  test.each([undefined, "", "  "])("%j means the default ones", (text) => {
    expect(parseStunServers(text)).toEqual({ ok: true, value: DEFAULT_STUN_SERVERS });
  });

  test("the word none means no server", () => {
    expect(parseStunServers(" none ")).toEqual({ ok: true, value: [] });
  });

  test("are separated by commas, and may have addresses for names", () => {
    const value = ["stun.example.org:3478", "192.0.2.1:3478", "[2001:db8::1]:3478"];
    expect(parseStunServers(` ${value.join(" , ")} `)).toEqual({ ok: true, value });
  });

  test.each([
    ["stun.example.org", '"stun.example.org" is no STUN server: write host:port'],
    ["a:1,,b:2", '"" is no STUN server: write host:port'],
    ["a:1,none", '"none" is no STUN server: write host:port'],
    [Array(9).fill("a:1").join(), "at most 8 STUN servers, not 9"],
  ])("%s is refused with a reason", (text, error) => {
    expect(parseStunServers(text)).toEqual({ ok: false, error });
  });
});
