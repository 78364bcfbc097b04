import { describe, expect, it } from "vitest";
import type { Point } from "./ellipse-model.ts";
import { layOutMap, type MapFrame } from "./map-layout-model.ts";
import { LINK_STATES, type LinkState, type MapMachine } from "./map-model.ts";

const WIDE: MapFrame = { width: 960, height: 560, mostOnRing: 20, mostSites: 10 };
const NARROW: MapFrame = { width: 358, height: 440, mostOnRing: 10, mostSites: 5 };

const machine = (name: string, state: LinkState = "direct", facts: Partial<MapMachine> = {}): MapMachine => ({
  ...{ id: name, name, isGateway: false, joins: [], site: null, state, viaId: null, isLossy: false, words: state },
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

/** About as wide as it is drawn. */
const widthOf = (text: string) => Math.min(text.length, 14) * 6.6;
const isClear = (a: { name: string; label: Point }, b: { name: string; label: Point }) =>
  Math.abs(a.label.x - b.label.x) > (widthOf(a.name) + widthOf(b.name)) / 2 || Math.abs(a.label.y - b.label.y) > 12;
const inSites = (sizes: Readonly<Record<string, number>>, nowhere = 0) =>
  mapOf([
    ...Object.entries(sizes).flatMap(([site, count]) =>
      Array.from({ length: count }, (_, index) =>
        machine(`${site}-${index}`, index % 4 === 3 ? "relayed" : "direct", { site }),
      ),
    ),
    ...Array.from({ length: nowhere }, (_, index) => machine(`loose-${index}`)),
  ]);

describe("few machines with sites", () => {
  const map = inSites({ zurich: 2, berlin: 3 }, 1);

  it("stand together by site, in a band with its name, and apart from others", () => {
    const { machines, sites } = layOutMap(map, WIDE);
    expect(machines.map((placed) => placed.machine.name)).toEqual([
      ...["berlin-0", "berlin-1", "berlin-2", "zurich-0", "zurich-1", "loose-0"],
    ]);
    expect(sites.map(({ name }) => name)).toEqual(["berlin", "zurich"]);
    for (const { name, points } of sites) {
      for (const placed of machines) {
        const nearest = Math.min(...points.map((point) => distance(point, placed)));
        if (placed.machine.site === name) expect(nearest).toBeLessThan(12);
        else expect(nearest).toBeGreaterThan(60);
      }
    }
  });

  it.each([
    ["five", inSites({ berlin: 3, zurich: 1 }), WIDE],
    ["twenty", inSites({ berlin: 8, zurich: 6, paris: 4 }, 2), WIDE],
    ["twenty in four", inSites({ berlin: 5, zurich: 5, paris: 5, rome: 5 }), WIDE],
    ["all in one", inSites({ berlin: 20 }), WIDE],
    ["on a phone", inSites({ berlin: 5, zurich: 3 }, 2), NARROW],
  ])("keep names clear of each other: %s", (_, crowded, frame) => {
    const { machines, sites } = layOutMap(crowded, frame);
    for (const [index, { label }] of machines.entries()) {
      for (const other of machines.slice(index + 1)) {
        if (label === null || other.label === null) throw new Error("has no name");
        expect(Math.abs(label.x - other.label.x) > 60 || Math.abs(label.y - other.label.y) > 13).toBe(true);
      }
    }
    for (const [index, site] of sites.entries()) {
      expect(site.label.x - widthOf(site.name) / 2).toBeGreaterThan(0);
      expect(site.label.x + widthOf(site.name) / 2).toBeLessThan(frame.width);
      for (const other of sites.slice(index + 1)) expect(isClear(site, other)).toBe(true);
    }
  });
});

describe("many machines with sites", () => {
  const cities = ["amsterdam", "berlin", "cairo", "dublin", "essen", "florence", "geneva", "hamburg", "ibiza", "jena"];
  const ofAll = (count: number) => Object.fromEntries(cities.map((city) => [city, count]));

  it("are grouped by site, with one line to each, of what is most common there", () => {
    const { groups, links } = layOutMap(inSites({ berlin: 120, zurich: 60 }, 19), WIDE);
    expect(groups.map(({ name, count, state }) => [name, count, state])).toEqual([
      ["berlin", 120, null],
      ["zurich", 60, null],
      ["without a site", 19, null],
    ]);
    expect(links.map(({ state, isBundle }) => [state, isBundle])).toEqual(Array(3).fill(["direct", true]));
  });

  it("show the largest sites apart, and the others together", () => {
    const { groups } = layOutMap(inSites({ ...ofAll(3), kyoto: 40, lima: 50 }), WIDE);
    expect(groups).toHaveLength(WIDE.mostSites);
    expect(groups.at(-1)).toMatchObject({ name: "in 3 other sites", count: 9 });
    expect(groups.map(({ name }) => name)).toContain("kyoto");
  });

  it.each([
    ["two hundred in two", inSites({ berlin: 120, zurich: 60 }, 19)],
    ["two hundred in ten", inSites(ofAll(20))],
    ["few in each of ten", inSites(ofAll(3))],
    ["a thousand", inSites({ ...ofAll(60), berlin: 400 }, 59)],
    ["very unequal", inSites({ berlin: 190, zurich: 1, paris: 1, rome: 1, oslo: 1 }, 5)],
  ])("stay in the frame, and groups and names out of each other: %s", (_, map) => {
    for (const frame of [WIDE, NARROW]) {
      const { groups, focus } = layOutMap(map, frame);
      for (const [index, group] of groups.entries()) {
        expect(group.x - group.radius).toBeGreaterThanOrEqual(0);
        expect(group.x + group.radius).toBeLessThanOrEqual(frame.width);
        expect(group.label.x - widthOf(`00 ${group.name}`) / 2).toBeGreaterThanOrEqual(0);
        expect(group.label.x + widthOf(`00 ${group.name}`) / 2).toBeLessThanOrEqual(frame.width);
        expect(Math.min(group.y - group.radius, group.label.y - 10)).toBeGreaterThanOrEqual(0);
        expect(Math.max(group.y + group.radius, group.label.y + 3)).toBeLessThanOrEqual(frame.height);
        expect(distance(group, focus)).toBeGreaterThan(group.radius + focus.radius);
        for (const other of groups.slice(index + 1)) {
          expect(distance(group, other)).toBeGreaterThan(group.radius + other.radius);
          expect([group.name, other.name, isClear(group, other)]).toEqual([group.name, other.name, true]);
        }
      }
    }
  });
});
