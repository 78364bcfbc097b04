import { expect, test } from "vitest";
import { parseTopology } from "../lab/plan/topology.ts";
import { Cell, GridResult } from "./cell.ts";
import { expectedPath } from "./expected-path.ts";
import { gridTopology, machineName, NETWORK_KINDS } from "./kinds.ts";
import { missedLimits } from "./missed-limits.ts";
import { renderGrid } from "./render-grid.ts";
import { scheduleCells } from "./schedule.ts";
import { summariseGrid } from "./summarise-grid.ts";

test("the lab has two machines of each kind", () => {
  const parsed = parseTopology(gridTopology());
  const names = parsed.ok ? parsed.value.machines.map((machine) => machine.name).sort() : parsed.error;
  expect(names).toEqual(NETWORK_KINDS.flatMap((kind) => [machineName(kind, "a"), machineName(kind, "b")]).sort());
});

test("every ordered pair of kinds is measured once, and no machine is in two cells at a time", () => {
  const batches = scheduleCells(NETWORK_KINDS, { atOnce: 4 });
  const pairs = batches.flat().map(({ from, to }) => `${from} ${to}`);
  expect(new Set(pairs).size).toBe(100);
  expect(pairs).toHaveLength(100);
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(4);
    const machines = batch.flatMap(({ from, to }) => [machineName(from, "a"), machineName(to, "b")]);
    expect(new Set(machines).size).toBe(machines.length);
  }
});

test("every cell is expected direct but hard to hard, blocked UDP, and IPv6 alone to IPv4 alone, in both directions", () => {
  const relayed = NETWORK_KINDS.flatMap((from) =>
    NETWORK_KINDS.filter((to) => expectedPath(from, to).path === "relayed").map((to) => [from, to] as const),
  );
  expect(relayed).toHaveLength(19 + 12 + 1);
  for (const [from, to] of relayed) {
    expect(expectedPath(to, from)).toEqual(expectedPath(from, to));
    expect(expectedPath(from, to).why).toBeTruthy();
  }
});

const cell = (fields: Partial<Cell>): Cell =>
  Cell.parse({
    from: "easy",
    to: "easy",
    expected: "direct",
    firstPingMs: 100,
    path: "direct",
    directMs: 400,
    reason: null,
    endpoint: "203.0.113.10:51820",
    problem: null,
    ...fields,
  });
const CELLS = [
  cell({}),
  cell({ to: "hard", directMs: 900, firstPingMs: 200 }),
  cell({ from: "hard", to: "easy", path: "relayed", directMs: null, problem: "relayed, should be direct" }),
  cell({
    from: "hard",
    to: "hard",
    expected: "relayed",
    path: "relayed",
    directMs: null,
    reason: { code: "hard_nats", message: "relayed: both are behind hard NATs" },
  }),
];

test("the summary counts cells, and spreads over the runs of both directions", () => {
  const result = summariseGrid(CELLS, { easyEasy: [cell({ directMs: 600 }), cell({ directMs: 500 })], easyHard: [] });
  expect(GridResult.parse(result)).toMatchObject({
    cells: 4,
    reachable: 4,
    directExpected: 3,
    direct: 2,
    firstPingMs: { p50: 100, p95: 200 },
    easyEasyDirectMs: { p50: 500, p95: 600, runs: 3, direct: 3 },
    easyHardDirectMs: { p50: 900, p95: 900, runs: 2, direct: 1 },
    problems: ["hard → easy: relayed, should be direct"],
  });
});

test("a repeated run that is not as expected is a problem, whatever the others are", () => {
  const relayed = cell({ to: "hard", path: "relayed", directMs: null, problem: "relayed, should be direct" });
  const runs = { easyEasy: [], easyHard: [cell({ to: "hard", directMs: 500 }), relayed] };
  const { easyHardDirectMs, problems } = summariseGrid([cell({})], runs);
  expect(easyHardDirectMs).toEqual({ p50: 500, p95: 500, runs: 2, direct: 1 });
  expect(problems).toEqual(["easy → hard, run 2: relayed, should be direct"]);
});

test("a limit that is missed is told with what was measured", () => {
  const runs = (easyEasy: number[], easyHard: number[]) => ({
    easyEasy: easyEasy.map((directMs) => cell({ directMs })),
    easyHard: easyHard.map((directMs) => cell({ to: "hard", directMs })),
  });
  const good = [cell({}), cell({ to: "hard", firstPingMs: 2_000 })];
  expect(missedLimits(summariseGrid(good, runs([900, 2_900], [1_900])))).toEqual([]);
  expect(missedLimits(summariseGrid(good, runs([1_100, 1_200, 3_100], [2_100, 2_200])))).toEqual([
    "easy to easy direct, p50: 1100 ms, at most 1000 ms",
    "easy to easy direct, p95: 3100 ms, at most 3000 ms",
    "easy to hard direct, p50: 2100 ms, at most 2000 ms",
  ]);
  const bad = [cell({ firstPingMs: 2_001 }), cell({ to: "hard", firstPingMs: null, path: "none", directMs: null })];
  expect(missedLimits(summariseGrid(bad, runs([], [])))).toEqual([
    "reachable: 1 of 2 cells",
    "direct: 1 of 2 cells that can be",
    "first ping, p95: 2001 ms, at most 2000 ms",
    "easy to hard direct, p50: never, at most 2000 ms",
  ]);
});

test("the table shows each cell, the reasons of those that are relayed, and marks what is wrong", () => {
  const text = renderGrid(summariseGrid(CELLS, { easyEasy: [], easyHard: [] }));
  expect(text).toContain(
    ["      easy        hard", "easy  direct 400  direct 900", "hard  !relayed    relayed"].join("\n"),
  );
  expect(text).toContain("hard_nats: relayed: both are behind hard NATs\n  hard → hard\n");
});
