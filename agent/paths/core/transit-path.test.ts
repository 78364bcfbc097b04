import { describe, expect, test } from "vitest";
import type { MachineId } from "#schema/ids";
import type { Fallback } from "#schema/mesh";
import { createRandom } from "./testing/disturbances.ts";
import {
  answered,
  GATEWAY,
  NATS,
  OTHER_GATEWAY,
  type PathFixture,
  RELAY_READY,
  SENT,
  STUN_ENDPOINT,
  setUpPath,
  toLocal,
  toPeer,
} from "./testing/path-fixture.ts";
import { createSimulatedPair } from "./testing/simulated-pair.ts";

const setUpHard = (fallback: Fallback) =>
  setUpPath({ local: { nat: NATS.here.hard, fallback }, peer: { nat: NATS.there.hard } });
const gateways = (...gatewayIds: MachineId[]) => ({ type: "gateways", gatewayIds }) as const;
const transit = (gatewayId: MachineId | null) => ({ type: "transit_set", gatewayId }) as const;
const REQUESTED = { type: "transit_requested" } as const;
const asking = (...gatewayIds: MachineId[]) => ({ type: "request_transit", gatewayIds });
/** What was asked for so far, in order. */
const askedBy = (path: PathFixture) =>
  path.actions.flatMap((action) => (action.type === "request_transit" ? [action.gatewayIds] : []));

describe("a pair without a direct path, where a gateway is reached", () => {
  test("asks for transit and for no relay where the mesh allows transit only", () => {
    const path = setUpHard("transit");
    path.at(100, gateways(GATEWAY));
    path.at(200, SENT);
    expect(path.actions).toContainEqual(asking(GATEWAY));
    expect(path.count("request_relay")).toBe(0);
    path.at(300, transit(GATEWAY));
    expect(path.state().path).toEqual({ kind: "transit", gatewayId: GATEWAY });
  });

  test("names all gateways that it reaches: the other end may reach only one of them", () => {
    const path = setUpHard("transit");
    path.at(100, gateways(GATEWAY, OTHER_GATEWAY));
    expect(path.actions.at(-1)).toEqual(asking(GATEWAY, OTHER_GATEWAY));
  });

  test("never asks for transit where the mesh allows relays only", () => {
    const path = setUpHard("relay");
    path.at(100, gateways(GATEWAY));
    path.at(200, { type: "relay_ended", code: "network", message: "" });
    path.until(100_000);
    expect(path.count("request_transit")).toBe(0);
  });

  test("takes the relay first and transit when there is none, with relay-then-transit", () => {
    const path = setUpHard("relay-then-transit");
    path.at(100, gateways(GATEWAY));
    path.at(200, RELAY_READY);
    path.until(60_000);
    expect(path.count("request_transit")).toBe(0);
    path.at(60_000, { type: "relay_ended", code: "network", message: "" });
    expect(path.count("request_transit")).toBe(1);
  });

  test("is carried by the relay until transit is agreed, with transit-then-relay, and closes it then", () => {
    const path = setUpHard("transit-then-relay");
    path.at(100, RELAY_READY);
    path.at(200, gateways(GATEWAY));
    expect(path.count("request_transit")).toBe(1);
    expect(path.state().path.kind).toBe("relayed");
    path.at(300, transit(GATEWAY));
    expect(path.state().path.kind).toBe("transit");
    path.until(10_300);
    expect(path.count("close_relay")).toBe(1);
  });

  test("asks an idle day about ten times when nobody agrees", () => {
    const path = setUpHard("transit");
    path.at(100, gateways(GATEWAY));
    path.until(86_400_000);
    expect(path.count("request_transit")).toBeLessThanOrEqual(16);
    const before = path.count("request_transit");
    path.until(2 * 86_400_000);
    expect(path.count("request_transit") - before).toBeLessThanOrEqual(7);
  });

  test("asks again within a minute of the other end's wish, however long nobody agreed", () => {
    const path = setUpHard("transit");
    path.at(100, gateways(GATEWAY));
    path.until(80_000_000);
    path.at(80_000_000, REQUESTED);
    expect(path.actions.at(-1)).toEqual(asking(GATEWAY));
    path.at(80_001_000, REQUESTED);
    path.until(80_059_000);
    const before = path.count("request_transit");
    path.at(80_060_000, REQUESTED);
    expect(path.count("request_transit") - before).toBe(1);
  });

  test("of a large mesh, which sleeps, joins in the other end's wish", () => {
    const path = setUpPath({ isEager: false, local: { nat: NATS.here.hard, fallback: "transit" } });
    path.at(100, gateways(GATEWAY));
    path.at(1_000, REQUESTED);
    path.until(10_000);
    expect(askedBy(path)).toEqual([[GATEWAY]]);
  });

  test("does not write anything when it hears again what it knows", () => {
    const path = setUpHard("transit");
    path.at(300, transit(GATEWAY));
    const { version } = path.state();
    path.at(400, transit(GATEWAY));
    expect(path.state().version).toBe(version);
  });

  test("keeps the pauses between askings when the other end ends at once what was agreed", () => {
    const path = setUpHard("transit-then-relay");
    path.at(100, RELAY_READY);
    path.at(200, gateways(GATEWAY));
    for (let round = 0; round < 200; round++) {
      const atMs = 300 + round * 100;
      path.at(atMs, SENT);
      path.at(atMs, transit(GATEWAY));
      path.at(atMs + 50, transit(null));
    }
    expect(path.count("request_transit")).toBeLessThanOrEqual(3);
  });

  test("begins anew with the pauses after transit that lasted", () => {
    const path = setUpHard("transit");
    path.at(100, gateways(GATEWAY));
    path.until(10_000_000);
    path.at(10_000_000, transit(GATEWAY));
    path.until(20_000_000);
    expect(path.at(20_000_000, transit(null))).toContainEqual(asking(GATEWAY));
    const before = path.count("request_transit");
    path.until(20_011_000);
    expect(path.count("request_transit") - before).toBe(1);
  });

  test("takes its wish back when a direct path is found, and when its gateways are lost", () => {
    const path = setUpPath({ local: { fallback: "transit-then-relay" } });
    path.at(50, gateways(GATEWAY));
    path.until(4_000);
    expect(askedBy(path)).toEqual([[GATEWAY]]);
    path.at(5_000, answered(STUN_ENDPOINT));
    expect(path.state().path.kind).toBe("direct");
    expect(askedBy(path)).toEqual([[GATEWAY], []]);

    const alone = setUpHard("transit");
    alone.at(100, gateways(GATEWAY));
    alone.at(5_000, gateways());
    expect(askedBy(alone)).toEqual([[GATEWAY], []]);
    alone.until(3_600_000);
    expect(alone.count("request_transit")).toBe(2);
  });
});

describe("a pair in transit", () => {
  const setUpTransit = () => {
    const path = setUpPath({ local: { fallback: "transit-then-relay" } });
    path.at(50, gateways(GATEWAY));
    path.at(3_100, transit(GATEWAY));
    return path;
  };

  test("goes on looking for a direct path, and leaves the gateway together with the other end", () => {
    const path = setUpTransit();
    path.until(60_000);
    expect(path.count("refresh_stun")).toBeGreaterThan(2);
    path.at(60_000, answered(STUN_ENDPOINT));
    expect(path.actions.at(-1)).toEqual(asking());
    expect(path.state().path.kind).toBe("transit");
    path.at(60_050, answered(STUN_ENDPOINT));
    path.at(60_100, transit(null));
    expect(path.state().path).toEqual({ kind: "direct", endpoint: STUN_ENDPOINT, isProved: true });
    expect(askedBy(path)).toEqual([[GATEWAY], []]);
  });

  test("asks for the other gateway when its own is lost, or for none", () => {
    const path = setUpTransit();
    path.at(20_000, gateways(OTHER_GATEWAY));
    expect(path.actions.at(-1)).toEqual(asking(OTHER_GATEWAY));
    const alone = setUpTransit();
    alone.at(20_000, gateways());
    expect(alone.actions.at(-1)).toEqual(asking());
    alone.at(20_100, transit(null));
    alone.at(20_200, SENT);
    expect(alone.state()).toMatchObject({ path: { kind: "none" }, relay: { kind: "wanted" } });
  });

  test("says nothing of another gateway while its own is there", () => {
    const path = setUpTransit();
    path.at(20_000, gateways(GATEWAY, OTHER_GATEWAY));
    const before = path.count("request_transit");
    path.until(3_600_000);
    expect(path.count("request_transit")).toBe(before);
  });

  test("gives an agent that was started anew a moment to reach the gateway before it gives that up", () => {
    const path = setUpPath({ local: { fallback: "transit" } });
    path.at(50, transit(GATEWAY));
    path.until(2_000);
    expect(path.count("request_transit")).toBe(0);
    path.at(2_000, gateways(GATEWAY));
    path.until(60_000);
    expect([path.count("request_transit"), path.state().path.kind]).toEqual([0, "transit"]);
    const alone = setUpPath({ local: { fallback: "transit" } });
    alone.at(50, transit(GATEWAY));
    alone.until(3_050);
    expect(askedBy(alone)).toEqual([[]]);
  });

  test("that was away when the mesh's fallback became the relay leaves transit all the same", () => {
    const path = setUpTransit();
    path.at(20_000, { type: "facts", peer: toPeer(), local: toLocal({ fallback: "relay" }), isEager: true });
    expect(path.state()).toMatchObject({ path: { kind: "none" }, transitGatewayId: null, transitWish: [] });
    path.at(20_100, SENT);
    path.at(20_200, RELAY_READY);
    expect(path.state().path.kind).toBe("relayed");
    // Nor does it fall for what was said before.
    path.at(20_300, transit(GATEWAY));
    expect(path.state().path.kind).toBe("relayed");
    path.until(3_600_000);
    expect(askedBy(path)).toEqual([[GATEWAY]]);
  });
});

describe("two ends, of which one is behind a network without UDP,", () => {
  function setUpPair(fallback: Fallback, reached: readonly [readonly MachineId[], readonly MachineId[]]) {
    const pair = createSimulatedPair({ gates: ["blocked", "easy"], random: createRandom(7), fallback });
    pair.clock.runUntil(pair.clock.now() + 400);
    for (const index of [0, 1] as const) pair.setGateways(index, reached[index]);
    pair.ping(100);
    return {
      ...pair,
      run: (forMs: number) => pair.clock.runUntil(pair.clock.now() + forMs),
      kinds: () => pair.machines.map((machine) => machine.state().path.kind),
      askings: () =>
        pair.machines.map(({ log }) => log.filter(({ action }) => action.type === "request_transit").length),
    };
  }

  test.each(["transit-then-relay", "relay-then-transit"] as const)(
    "stay on the relay when only the other reaches the gateway, with %s",
    (fallback) => {
      const pair = setUpPair(fallback, [[], [GATEWAY]]);
      pair.run(3_000);
      const versions = pair.machines.map((machine) => machine.state().version);
      pair.run(20 * 60_000);
      expect(pair.kinds()).toEqual(["relayed", "relayed"]);
      expect(pair.machines.map((machine) => machine.state().version)).toEqual(versions);
      const gaps = pair.pongs.slice(1).map((atMs, index) => atMs - (pair.pongs[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(200);
      // Once a minute, from one end.
      expect(Math.max(...pair.askings())).toBeLessThanOrEqual(25);
    },
  );

  test("have no path, quietly, when the mesh has transit only", () => {
    const pair = setUpPair("transit", [[], [GATEWAY]]);
    pair.run(20 * 60_000);
    expect(pair.kinds()).toEqual(["none", "none"]);
    expect(Math.max(...pair.askings())).toBeLessThanOrEqual(25);
  });

  test("agree on the gateway that both reach, and once", () => {
    const pair = setUpPair("transit", [[OTHER_GATEWAY], [GATEWAY, OTHER_GATEWAY]]);
    pair.run(1_000);
    expect(pair.machines.map((machine) => machine.state().path)).toEqual([
      { kind: "transit", gatewayId: OTHER_GATEWAY },
      { kind: "transit", gatewayId: OTHER_GATEWAY },
    ]);
    pair.run(20 * 60_000);
    expect(pair.askings()).toEqual([1, 1]);
  });

  test("agree when the end that had no gateway reaches one, after whatever time", () => {
    const pair = setUpPair("transit-then-relay", [[], [GATEWAY]]);
    pair.run(20 * 60_000);
    pair.setGateways(0, [GATEWAY]);
    pair.run(1_000);
    expect(pair.kinds()).toEqual(["transit", "transit"]);
  });

  test("part when one of them loses the gateway, and the other follows", () => {
    const pair = setUpPair("transit-then-relay", [[GATEWAY], [GATEWAY]]);
    pair.run(60_000);
    expect(pair.kinds()).toEqual(["transit", "transit"]);
    pair.setGateways(0, []);
    pair.run(2_000);
    expect(pair.kinds()).toEqual(["relayed", "relayed"]);
    const before = pair.askings();
    pair.run(600_000);
    expect(pair.kinds()).toEqual(["relayed", "relayed"]);
    expect((pair.askings()[1] ?? 0) - (before[1] ?? 0)).toBeLessThanOrEqual(12);
  });
});
