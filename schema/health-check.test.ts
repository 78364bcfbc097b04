import { describe, expect, it } from "vitest";
import { HealthCheck } from "./health-check.ts";

const isTaken = (check: unknown) => HealthCheck.safeParse(check).success;

describe("a health check", () => {
  it("has the defaults that are written down", () => {
    expect(HealthCheck.parse({ type: "tcp", target: ":6443" })).toEqual({
      type: "tcp",
      target: ":6443",
      intervalSeconds: 5,
      timeoutSeconds: 3,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
      holdoffSeconds: 0,
    });
  });

  it.each(["tcp", "grpc", "grpcs"])("by %s asks a port, here or elsewhere", (type) => {
    const targets = [":6443", "db.example:5432", "10.0.0.7:1", "[fd00::7]:65535"];
    for (const target of targets) expect(isTaken({ type, target }), target).toBe(true);
    const faulty = ["", ":", ":0", ":65536", "6443", "db", "a b:1", "http://a:1", "-a:1", ":1/x", ["/bin/true"]];
    for (const target of faulty) expect(isTaken({ type, target }), String(target)).toBe(false);
  });

  it.each(["http", "https"])("by %s asks for a path, here or elsewhere", (type) => {
    const targets = ["/healthz", ":8080", ":8080/healthz?deep=1", "db:80/", `${type}://db`, `${type}://[fd00::7]:81/x`];
    for (const target of targets) expect(isTaken({ type, target }), target).toBe(true);
    const other = type === "http" ? "https" : "http";
    const faulty = ["", "healthz", "/a b", ":0/", ":70000", `${other}://db/`, `${type}://`, `${type}:///x`, "ftp://a/"];
    for (const target of faulty) expect(isTaken({ type, target }), target).toBe(false);
  });

  it("by exec runs a program by its path, with arguments and no shell", () => {
    const targets = [["/bin/true"], ["/usr/bin/pg_isready", "-q", "a b; c"]];
    for (const target of targets) expect(isTaken({ type: "exec", target }), String(target)).toBe(true);
    const faulty = [
      [],
      ["true"],
      ["/bin/true", "\0"],
      "/bin/true",
      ["/bin/true", ..."x".repeat(16)],
      [""],
      ["/a".repeat(200)],
    ];
    for (const target of faulty) expect(isTaken({ type: "exec", target }), String(target)).toBe(false);
  });

  it("is over before the next one begins", () => {
    const check = { type: "tcp", target: ":1", intervalSeconds: 1 };
    expect(HealthCheck.safeParse(check).error?.issues[0]?.path).toEqual(["timeoutSeconds"]);
    expect(isTaken({ ...check, timeoutSeconds: 1 })).toBe(true);
  });

  it.each([
    { intervalSeconds: 0 },
    { timeoutSeconds: 0.5 },
    { healthyThreshold: 0 },
    { unhealthyThreshold: 101 },
    { holdoffSeconds: -1 },
    { type: "icmp" },
  ])("refuses %j", (change) => {
    expect(isTaken({ type: "tcp", target: ":1", ...change })).toBe(false);
  });
});
