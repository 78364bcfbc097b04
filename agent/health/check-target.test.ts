import { describe, expect, it } from "vitest";
import { toHttpQuestion, toSocketTarget } from "./check-target.ts";

const timing = { intervalSeconds: 5, timeoutSeconds: 3, healthyThreshold: 2, unhealthyThreshold: 3, holdoffSeconds: 0 };

describe("the target of a check", () => {
  it.each([
    [":6443", "10.1.0.7", 6443],
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["db.internal:5432", "db.internal", 5432],
    ["[fd00::1]:5432", "fd00::1", 5432],
  ])("%s is %s port %i", (target, host, port) => {
    expect(toSocketTarget(target, "10.1.0.7")).toEqual({ host, port });
  });

  it.each([
    ["http", "/healthz", "10.1.0.7", 80, "/healthz", "10.1.0.7"],
    ["https", "/healthz", "10.1.0.7", 443, "/healthz", "10.1.0.7"],
    ["http", ":8080", "10.1.0.7", 8080, "/", "10.1.0.7:8080"],
    ["http", ":8080/a/b?c=/d:1", "10.1.0.7", 8080, "/a/b?c=/d:1", "10.1.0.7:8080"],
    ["https", "host:8443/x", "host", 8443, "/x", "host:8443"],
    ["https", "https://host/x", "host", 443, "/x", "host"],
    ["http", "http://[fd00::1]:81/x", "fd00::1", 81, "/x", "[fd00::1]:81"],
    ["http", "http://[fd00::1]/x", "fd00::1", 80, "/x", "[fd00::1]"],
  ] as const)("%s %s is asked for at %s port %i", (type, target, host, port, path, authority) => {
    const question = toHttpQuestion({ type, target, ...timing }, "10.1.0.7");
    expect(question).toEqual({ host, port, isTls: type === "https", path, authority });
  });
});
