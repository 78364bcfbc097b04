import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type KernelRoute, parseBirdRoutes, parseRouteEvent } from "./parse-bird-routes.ts";

const render = ({ prefix, nextHop, device, metric }: KernelRoute) => `${prefix} via ${nextHop} dev ${device} ${metric}`;
const IPV4 = JSON.stringify([
  { dst: "default", gateway: "10.1.0.9", dev: "v0", metric: 61_820, flags: [] },
  { dst: "192.168.6.0/24", metric: 61_820, flags: [], nexthops: [{ gateway: "10.1.0.2", dev: "v0", weight: 1 }] },
  { dst: "192.168.7.0/24", via: { family: "inet6", host: "fd00:1::2" }, dev: "v0", metric: 61_820, flags: [] },
  { type: "6", dst: "192.168.8.0/24", metric: 61_820, flags: [] },
  { dst: "192.168.10.7", gateway: "10.1.0.9", dev: "v0", prefsrc: "10.1.0.1", metric: 61_821, flags: [] },
  { dst: "192.168.11.0/24", gateway: "10.1.0.9", dev: "v0", metric: 32, flags: [] },
  { dst: "192.168.12.0/24", gateway: "10.1.0.9", dev: "v0", flags: [] },
]);
const IPV6 = JSON.stringify([
  { dst: "fd00:5::/64", gateway: "fd00:1::4", dev: "v0", metric: 61_820, flags: [], pref: "medium" },
  { dst: "default", gateway: "fd00:1::9", dev: "v0", metric: 61_820, flags: [], pref: "medium" },
  { dst: "fd00:6::7", gateway: "fd00:1::9", dev: "v0", metric: 61_820, flags: [], pref: "medium" },
]);

describe("the routes of our BIRDs in the kernel", () => {
  it("are those with a metric of ours", () => {
    expect(parseBirdRoutes(IPV4, "ipv4").map(render)).toEqual([
      "0.0.0.0/0 via 10.1.0.9 dev v0 61820",
      "192.168.6.0/24 via null dev  61820",
      "192.168.7.0/24 via fd00:1::2 dev v0 61820",
      "192.168.8.0/24 via null dev  61820",
      "192.168.10.7/32 via 10.1.0.9 dev v0 61821",
    ]);
    expect(parseBirdRoutes(IPV6, "ipv6").map(render)).toEqual([
      "fd00:5::/64 via fd00:1::4 dev v0 61820",
      "::/0 via fd00:1::9 dev v0 61820",
      "fd00:6::7/128 via fd00:1::9 dev v0 61820",
    ]);
  });

  it("are none where ip has nothing to say", () => {
    expect(["", "\n", "[]"].flatMap((text) => parseBirdRoutes(text, "ipv4"))).toEqual([]);
  });

  it.each([
    ["no JSON", "[{"],
    ["no list", "{}"],
    ["no destination", `[{"metric": 61820}]`],
    ["a destination that is none", `[{"dst": "nowhere", "metric": 61820}]`],
    ["a length that is none", `[{"dst": "10.0.0.0/33", "metric": 61820}]`],
    ["a next hop that is none", `[{"dst": "10.0.0.0/8", "gateway": "x", "metric": 61820}]`],
  ])("are not guessed from %s", (_, text) => {
    expect(() => parseBirdRoutes(text, "ipv4")).toThrow(/ip route/);
  });
});

describe("what ip monitor prints", () => {
  it("is understood line by line, and what is not of our BIRDs left out", () => {
    const file = path.join(import.meta.dirname, "testdata/ip-6.1-monitor-route.txt");
    const events = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .flatMap((line) => parseRouteEvent(line) ?? [])
      .map(({ kind, route }) => `${kind} ${render(route)}`);

    expect(events).toEqual([
      "set 192.168.5.0/24 via 10.1.0.2 dev v0 61820",
      "set 192.168.5.0/24 via 10.1.0.3 dev v0 61820",
      "removed 192.168.5.0/24 via 10.1.0.3 dev v0 61820",
      "set fd00:5::/64 via fd00:1::2 dev v0 61820",
      "set fd00:5::/64 via fd00:1::3 dev v0 61820",
      "set fd00:5::/64 via null dev  61820",
      "removed fd00:5::/64 via fd00:1::3 dev v0 61820",
      "set 192.168.6.0/24 via null dev  61820",
      "set 192.168.7.0/24 via fd00:1::2 dev v0 61820",
      "set 192.168.8.0/24 via null dev  61820",
      "set fd00:8::/64 via null dev lo 61820",
      "set 192.168.9.0/24 via null dev  61820",
      "set 0.0.0.0/0 via 10.1.0.9 dev v0 61820",
      "set ::/0 via fd00:1::9 dev v0 61820",
      "set 192.168.11.7/32 via 10.1.0.9 dev v0 61820",
      "set 192.168.10.0/24 via 10.1.0.9 dev v0 61820",
      "removed fd00:5::/64 via fd00:1::4 dev v0 61820",
      "removed ::/0 via fd00:1::9 dev v0 61820",
    ]);
  });

  it("may have marks at its end", () => {
    const line = "1 192.168.5.0/24 via 10.1.0.2 dev v0 table 254 proto 12 scope 0 metric 61820 onlink mtu 1400 ";
    expect(parseRouteEvent(line)).toMatchObject({ kind: "set", route: { metric: 61_820, nextHop: "10.1.0.2" } });
  });

  it.each([
    ["another metric", "1 192.168.5.0/24 via 10.1.0.2 dev v0 table 254 proto 12 scope 0 metric 32 "],
    ["no metric", "1 192.168.5.0/24 via 10.1.0.2 dev v0 table 254 proto 12 scope 0 "],
    ["another table", "1 192.168.5.0/24 via 10.1.0.2 dev v0 table 77 proto 12 scope 0 metric 61820 "],
    ["another protocol", "1 192.168.5.0/24 via 10.1.0.2 dev v0 table 254 proto 4 scope 0 metric 61820 "],
    ["no route", "Deleted neigh"],
    ["nothing", ""],
  ])("is not ours with %s", (_, line) => {
    expect(parseRouteEvent(line)).toBeNull();
  });

  it("is not guessed", () => {
    for (const line of [
      "192.168.5.0/24 proto 12 metric 61820",
      "1 nowhere via 10.1.0.2 dev v0 table 254 proto 12 scope 0 metric 61820 ",
      "1 192.168.5.0/24 via x dev v0 table 254 proto 12 scope 0 metric 61820 ",
    ])
      expect(() => parseRouteEvent(line)).toThrow(/ip monitor/);
  });
});
