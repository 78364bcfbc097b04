// Two path machines on a simulated network: what a user sees, with numbers.
import { describe, expect, test } from "vitest";
import { createRandom } from "./testing/disturbances.ts";
import {
  canBeDirect,
  createSimulatedPair,
  GATE_NAMES,
  type GateName,
  type PairOptions,
} from "./testing/simulated-pair.ts";

const cells = GATE_NAMES.flatMap((one) => GATE_NAMES.map((other) => [one, other] as const));
const setUp = (gates: readonly [GateName, GateName], options: Partial<PairOptions> = {}) =>
  createSimulatedPair({ gates, random: createRandom(7), ...options });
const DAY_MS = 86_400_000;

describe.each([true, false])("a grid of NATs, eager %s", (isEager) => {
  test.each(cells)("%s and %s", (one, other) => {
    const pair = setUp([one, other], { isEager });
    const startMs = pair.clock.now() + 400;
    pair.clock.runUntil(startMs);
    pair.ping(100);
    pair.clock.runUntil(startMs + 3_000);
    const expected = canBeDirect(one, other) ? "direct" : "relayed";
    expect(pair.machines.map((machine) => machine.state().path.kind)).toEqual([expected, expected]);
    // Relay first: nothing waits for punching.
    expect((pair.pongs[0] ?? Number.POSITIVE_INFINITY) - startMs).toBeLessThanOrEqual(700);
    const gaps = pair.pongs.slice(1).map((atMs, index) => atMs - (pair.pongs[index] ?? 0));
    // The upgrade loses nothing: answers come on as before.
    expect(Math.max(...gaps)).toBeLessThan(200);
  });
});

test("two machines behind one NAT find each other on their LAN, also where it lets no UDP out", () => {
  for (const gate of ["easy", "hard", "blocked"] as const) {
    const pair = setUp([gate, gate], { isOneLan: true });
    pair.clock.runUntil(pair.clock.now() + 2_000);
    for (const machine of pair.machines) {
      expect(machine.state().path).toMatchObject({ kind: "direct", endpoint: expect.stringMatching(/^192\.168\./) });
    }
  }
});

describe("a direct pair with traffic", () => {
  function talk(gates: readonly [GateName, GateName]) {
    const pair = setUp(gates);
    pair.clock.runUntil(pair.clock.now() + 400);
    pair.ping(100);
    pair.clock.runUntil(pair.clock.now() + 30_000);
    return pair;
  }
  const gapAfter = (pair: ReturnType<typeof talk>, forMs: number): number => {
    const fromMs = pair.clock.now();
    pair.clock.runUntil(fromMs + forMs);
    const pongs = [fromMs, ...pair.pongs.filter((atMs) => atMs > fromMs), pair.clock.now()];
    return Math.max(...pongs.slice(1).map((atMs, index) => atMs - (pongs[index] ?? 0)));
  };

  test("is on the relay within 6.5 s of a silent death, and direct again when it heals", () => {
    const pair = talk(["easy", "firewall"]);
    pair.network.faults.cutFrom.add("m0").add("m1");
    expect(gapAfter(pair, 20_000)).toBeLessThanOrEqual(6_500);
    pair.network.faults.cutFrom.clear();
    expect(gapAfter(pair, 65_000)).toBeLessThanOrEqual(500);
    expect(pair.machines.map((machine) => machine.state().path.kind)).toEqual(["direct", "direct"]);
  });

  test("is back within 5 s after a NAT reboots with another address", () => {
    const pair = talk(["easy", "easy"]);
    pair.rebootGate(1);
    expect(gapAfter(pair, 30_000)).toBeLessThanOrEqual(5_000);
  });

  test("is back within 5 s after a machine moved to another network", () => {
    const pair = talk(["easy", "easy"]);
    pair.move(0, "hard");
    expect(gapAfter(pair, 30_000)).toBeLessThanOrEqual(5_000);
  });

  test("does not notice that the peer's agent stops for an hour and comes back", () => {
    const pair = talk(["easy", "easy"]);
    pair.setStopped(1, true);
    expect(gapAfter(pair, 3_600_000)).toBeLessThanOrEqual(300);
    pair.setStopped(1, false);
    expect(gapAfter(pair, 60_000)).toBeLessThanOrEqual(300);
  });

  test("does not notice that the control plane is gone for an hour", () => {
    const pair = talk(["easy", "easy"]);
    pair.setControlUp(false);
    expect(gapAfter(pair, 3_600_000)).toBeLessThanOrEqual(300);
  });
});

describe("a day of idleness costs the control plane", () => {
  const costOf = (gates: readonly [GateName, GateName], isEager: boolean, isPeerGone: boolean): number => {
    const pair = setUp(gates, { isEager });
    pair.clock.runUntil(pair.clock.now() + 400);
    pair.ping(200);
    pair.clock.runUntil(pair.clock.now() + 60_000);
    pair.ping(null);
    if (isPeerGone) {
      pair.setStopped(1, true);
      pair.network.faults.cutFrom.add("m1");
    }
    const before = pair.requests(0);
    pair.clock.runUntil(pair.clock.now() + DAY_MS);
    return pair.requests(0) - before;
  };

  test.each([
    ["easy", "easy"],
    ["hard", "hard"],
    ["easy", "hard"],
    ["blocked", "easy"],
    ["public", "public"],
  ] as const)(
    "at most ten requests of %s and %s, with the peer there or gone, in a small mesh or a large one",
    (one, other) => {
      for (const isEager of [true, false]) {
        for (const isPeerGone of [true, false])
          expect(costOf([one, other], isEager, isPeerGone)).toBeLessThanOrEqual(10);
      }
    },
  );

  test("nothing before the first packet of a large mesh", () => {
    const pair = setUp(["easy", "easy"], { isEager: false });
    pair.clock.runUntil(pair.clock.now() + DAY_MS);
    for (const machine of pair.machines) expect(machine.log).toEqual([]);
  });
});
