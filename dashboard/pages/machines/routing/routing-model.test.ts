import { describe, expect, it } from "vitest";
import { MachineRoute } from "#schema/api/machine-routing";
import { describeOrigin, findRoutes, judgeAnnouncement, judgeRoute } from "./routing-model.ts";

const BOB = "mch_01kaqx4d8e6v2m9t7w3hncz5rb";
const SOURCE = { kind: "peer", protocol: "peer_bob", machineId: BOB, name: "bob", meshId: null };
const route = (facts: object = {}): MachineRoute =>
  MachineRoute.parse({
    ...{ meshId: "msh_01kaqx4d8e6v2m9t7w3hncz5rb", prefix: "192.168.7.0/24", nextHop: "10.1.0.2" },
    ...{ origin: { machineId: BOB, name: "bob" }, source: SOURCE, asPath: [], localPreference: 100, med: null },
    ...{ communities: [], isBest: true, filterReason: null, since: "2026-11-23T09:30:00.000Z" },
    ...facts,
  });

describe("a route", () => {
  it("is used, in reserve or refused", () => {
    const refused = route({ filterReason: { code: "policy", message: "x" }, isBest: false });
    expect([route(), route({ isBest: false }), refused].map((one) => judgeRoute(one).label)).toEqual([
      "used",
      "in reserve",
      "refused",
    ]);
  });

  it("comes from a member, from this machine, or from another mesh", () => {
    const own = route({ origin: null, nextHop: null, source: { ...SOURCE, kind: "own" } });
    const link = route({ origin: null, source: { ...SOURCE, kind: "gateway_link" } });
    expect([route(), own, link].map(describeOrigin)).toEqual(["bob", "this machine", "another mesh"]);
  });

  it("is found by prefix, origin, AS number and state", () => {
    const routes = [route(), route({ prefix: "10.9.0.0/16", asPath: ["4200000007"], isBest: false })];
    expect(findRoutes(routes, "")).toHaveLength(2);
    expect(findRoutes(routes, "4200000007").map(({ prefix }) => prefix)).toEqual(["10.9.0.0/16"]);
    expect(findRoutes(routes, "BOB used").map(({ prefix }) => prefix)).toEqual(["192.168.7.0/24"]);
  });
});

it("tells an announcement without a check that is not announced", () => {
  expect(judgeAnnouncement({ status: "unchecked", isAnnounced: false }).label).toBe("not announced");
  expect(judgeAnnouncement({ status: "unhealthy", isAnnounced: false }).tone).toBe("bad");
});
