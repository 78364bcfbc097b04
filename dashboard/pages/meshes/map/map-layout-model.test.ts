import { describe, expect, it } from "vitest";
import { layOutMap, type MapFrame, type Point } from "./map-layout-model.ts";
import { LINK_STATES, type LinkState, type MapMachine } from "./map-model.ts";

const WIDE: MapFrame = { width: 960, height: 560, mostOnRing: 20 };
const NARROW: MapFrame = { width: 358, height: 440, mostOnRing: 10 };

const machine = (name: string, state: LinkState = "direct", facts: Partial<MapMachine> = {}): MapMachine => ({
  ...{ id: name, name, isGateway: false, joins: [], state, viaId: null, isLossy: false, words: state },
  ...facts,
});
const mapOf = (others: readonly MapMachine[]) => ({ focus: machine("focus"), others });
const many = (counts: Partial<Record<LinkState, number>>) =>
  mapOf(
    LINK_STATES.flatMap((state) =>
      Array.from({ length: counts[state] ?? 0 }, (_, index) => machine(`${state}-${index}`, state)),
    ),
  );
const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);

describe("few machines", () => {
  const five = mapOf(["a", "b", "c", "d"].map((name) => machine(name)));

  it("stand on a ring, each with its name and its link, inside the frame", () => {
    const { machines, links, groups } = layOutMap(five, WIDE);
    expect([machines.length, links.length, groups.length]).toEqual([4, 4, 0]);
    for (const { x, y, label } of machines) {
      expect(x).toBeGreaterThan(40);
      expect(x).toBeLessThan(920);
      expect(y).toBeGreaterThan(30);
      expect(label).not.toBeNull();
    }
  });

  it("keep their places when their links change", () => {
    const places = (state: LinkState) =>
      layOutMap(mapOf(["a", "b", "c"].map((name) => machine(name, state))), WIDE).machines.map(({ x, y }) => [x, y]);
    expect(places("down")).toEqual(places("direct"));
  });

  it.each([
    [20, WIDE],
    [10, NARROW],
  ])("are apart enough for their names, %i of them", (count, frame) => {
    const { machines } = layOutMap(mapOf(Array.from({ length: count }, (_, index) => machine(`m${index}`))), frame);
    for (const [index, { label }] of machines.entries()) {
      for (const other of machines.slice(index + 1)) {
        if (label === null || other.label === null) throw new Error("has no name");
        const isApart = Math.abs(label.x - other.label.x) > 66 || Math.abs(label.y - other.label.y) > 13;
        expect(isApart).toBe(true);
      }
    }
  });

  it("have a transit link bend at the gateway, and none while they are offline", () => {
    const map = mapOf([
      machine("far", "transit", { viaId: "gate" }),
      machine("gate", "direct", { isGateway: true }),
      machine("gone", "offline"),
    ]);
    const { links, machines } = layOutMap(map, WIDE);
    const gate = machines.find((placed) => placed.machine.name === "gate");
    expect(links.map(({ id, points }) => [id, points.length])).toEqual([
      ["far", 3],
      ["gate", 2],
    ]);
    expect(links[0]?.points[1]).toEqual({ x: gate?.x, y: gate?.y });
  });
});

describe("many machines", () => {
  const usual = many({ down: 2, transit: 4, relayed: 30, direct: 140, idle: 12, offline: 11 });

  it("are grouped by state, with a line to what is notable, and one to a group for all others in it", () => {
    const { machines, groups, links } = layOutMap(usual, WIDE);
    expect(machines).toHaveLength(199);
    expect(groups.map(({ state, count }) => `${count} ${state}`)).toEqual([
      "2 down",
      "4 transit",
      "30 relayed",
      "140 direct",
      "12 idle",
      "11 offline",
    ]);
    expect(links.filter(({ isBundle }) => isBundle).map(({ state }) => state)).toEqual(["relayed", "direct"]);
    expect(links.filter(({ isBundle }) => !isBundle)).toHaveLength(6);
  });

  it.each([
    ["usual", usual],
    ["all alike", many({ direct: 199 })],
    ["of every state", many(Object.fromEntries(LINK_STATES.map((state) => [state, 25])))],
    ["a thousand", many({ direct: 700, relayed: 200, offline: 99, down: 1 })],
    ["just too many for a ring", many({ direct: 20, offline: 1 })],
  ])("stay in the frame and out of each other: %s", (_, map) => {
    for (const frame of [WIDE, NARROW]) {
      const { groups, focus, machines } = layOutMap(map, frame);
      for (const [index, group] of groups.entries()) {
        expect(group.x - group.radius).toBeGreaterThanOrEqual(0);
        expect(group.x + group.radius).toBeLessThanOrEqual(frame.width);
        expect(Math.min(group.y - group.radius, group.label.y - 10)).toBeGreaterThanOrEqual(0);
        expect(Math.max(group.y + group.radius, group.label.y + 3)).toBeLessThanOrEqual(frame.height);
        expect(distance(group, focus)).toBeGreaterThan(group.radius + focus.radius);
        for (const other of groups.slice(index + 1)) {
          expect(distance(group, other)).toBeGreaterThan(group.radius + other.radius);
        }
      }
      for (const placed of machines) {
        const group = groups.find(({ state }) => state === placed.machine.state);
        expect(group && distance(placed, group)).toBeLessThanOrEqual(group?.radius ?? 0);
      }
    }
  });

  it("draw no more notable links than can be told apart", () => {
    const { links } = layOutMap(many({ down: 150, direct: 40 }), WIDE);
    expect(links.filter(({ isBundle }) => !isBundle)).toHaveLength(40);
    expect(links.filter(({ isBundle }) => isBundle).map(({ state }) => state)).toEqual(["down", "direct"]);
  });
});
