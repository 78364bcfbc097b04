import { describe, expect, test } from "vitest";
import { judgeRound } from "./judge-round.ts";
import { planCopies } from "./kinds/disorder.ts";
import { isRelayed, nobody, type Pair } from "./kinds/fault.ts";
import { FAULT_NAMES } from "./kinds/fault-kinds.ts";
import { ANY, createLedger } from "./load/ledger.ts";
import { missedLimits } from "./missed-limits.ts";
import { EXCLUDED, planRounds } from "./plan-rounds.ts";
import { createRandom, pick, shuffle } from "./random.ts";
import { renderFaults } from "./render-faults.ts";
import { FaultsResult, type PairLoss } from "./result.ts";
import { parseCounters } from "./watch/dropped.ts";
import { judgeLogs, parseLogLines } from "./watch/logs.ts";

describe("chance", () => {
  test("is the same for the same seed, and another for another", () => {
    const draw = (seed: number) => Array.from({ length: 20 }, createRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    for (const value of draw(7)) expect(value >= 0 && value < 1).toBe(true);
  });

  test("picks and shuffles what is there", () => {
    const random = createRandom(1);
    expect(new Set(Array.from({ length: 100 }, () => pick(random, ["a", "b", "c"])))).toEqual(new Set(["a", "b", "c"]));
    expect(shuffle(random, [1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
  });
});

describe("rounds", () => {
  test("have each fault once alone, then some together, of which none undoes another", () => {
    for (let seed = 0; seed < 200; seed++) {
      const rounds = planRounds(FAULT_NAMES, createRandom(seed));
      expect(rounds.slice(0, FAULT_NAMES.length)).toEqual(FAULT_NAMES.map((name) => [name]));
      for (const round of rounds.slice(FAULT_NAMES.length)) {
        expect(round.length).toBeGreaterThan(1);
        expect(new Set(round).size).toBe(round.length);
        for (const pair of EXCLUDED) expect(round).not.toEqual(expect.arrayContaining([...pair]));
      }
    }
  });

  test("of one fault are one round", () => {
    expect(planRounds(["diskFull"], createRandom(1))).toEqual([["diskFull"]]);
  });
});

test("only sync messages are repeated and held back, and never the greeting", () => {
  const random = createRandom(3);
  const plans = (type: string | null) => Array.from({ length: 200 }, () => planCopies(type, random));
  for (const type of [null, "sync.hello", "relay.ticket"]) expect(plans(type)).toEqual(Array(200).fill([0]));
  const changes = plans("sync.changes");
  expect(changes.some((copies) => copies.length === 2)).toBe(true);
  expect(changes.some(([first = 0]) => first > 0)).toBe(true);
});

describe("the ledger", () => {
  test("finds what was acknowledged and is not so", () => {
    const ledger = createLedger();
    ledger.acknowledge("route a", "10.1.0.0/24");
    ledger.acknowledge("route b", "10.2.0.0/24");
    ledger.acknowledge("route b", null);
    ledger.acknowledge("route c", "10.3.0.0/24");
    expect(ledger.acknowledged()).toBe(4);
    expect(ledger.findLost(new Map([["route a", "10.1.0.0/24"]]))).toEqual([
      "route c: not there, acknowledged was 10.3.0.0/24",
    ]);
    const seen = new Map(
      Object.entries({ "route a": "10.9.0.0/24", "route b": "10.2.0.0/24", "route c": "10.3.0.0/24" }),
    );
    expect(ledger.findLost(seen)).toHaveLength(2);
  });

  test("takes either for right where no answer came, until the next one does", () => {
    const ledger = createLedger();
    ledger.acknowledge("member m", "10.0.0.1");
    ledger.doubt("member m", null);
    ledger.doubt("member n", ANY);
    expect(ledger.isCertain("member m")).toBe(false);
    expect(ledger.findLost(new Map())).toEqual([]);
    expect(ledger.findLost(new Map(Object.entries({ "member m": "10.0.0.1", "member n": "10.0.0.2" })))).toEqual([]);
    expect(ledger.findLost(new Map([["member m", "10.0.0.9"]]))).toHaveLength(1);
    ledger.acknowledge("member m", null);
    expect(ledger.isCertain("member m")).toBe(true);
    expect(ledger.findLost(new Map([["member m", "10.0.0.1"]]))).toHaveLength(1);
  });

  test("is certain again of what is seen when all is well, and holds it to that", () => {
    const ledger = createLedger();
    ledger.acknowledge("member m", "10.0.0.1");
    ledger.doubt("member m", null);
    ledger.doubt("member n", ANY);
    ledger.acknowledge("route a", "10.1.0.0/24");
    expect(ledger.isCertain("member n")).toBe(false);
    ledger.settle(new Map([["member n", "10.0.0.2"]]));
    expect(["member m", "member n", "route a"].map(ledger.isCertain)).toEqual([true, true, true]);
    expect(ledger.findLost(new Map([["member m", "10.0.0.1"]]))).toHaveLength(3);
  });

  test("finds addresses that two were told to have", () => {
    const ledger = createLedger();
    ledger.giveAddress("10.0.0.1", "m");
    ledger.giveAddress("10.0.0.1", "m");
    ledger.giveAddress("10.0.0.2", "m");
    expect(ledger.addressesGivenTwice()).toEqual([]);
    ledger.giveAddress("10.0.0.2", "n");
    expect(ledger.addressesGivenTwice()).toEqual(["10.0.0.2: m and n"]);
  });
});

describe("logs", () => {
  const line = (level: string, message: string) => JSON.stringify({ level, message });
  const expectedErrors = [/disk cache failed/];

  test("may hold the errors that a fault is expected to make, and no others", () => {
    const text = [line("error", "the disk cache failed"), line("error", "unexpected failure"), "not JSON"].join("\n");
    expect(judgeLogs(parseLogLines("carol", `${text}\n`), { expectedErrors, durationMs: 1_000 })).toEqual([
      'carol wrote an error: {"level":"error","message":"unexpected failure"}',
    ]);
  });

  test("may hold a warning ten times a minute", () => {
    const warnings = (count: number) => parseLogLines("carol", Array(count).fill(line("warn", "odd")).join("\n"));
    expect(judgeLogs(warnings(10), { expectedErrors: [], durationMs: 1_000 })).toEqual([]);
    expect(judgeLogs(warnings(11), { expectedErrors: [], durationMs: 1_000 })).toEqual(["11 warnings of carol: odd"]);
    expect(judgeLogs(warnings(20), { expectedErrors: [], durationMs: 120_000 })).toEqual([]);
  });
});

test("of a kernel's counters those are read that end a packet", () => {
  const text = `#kernel
IpInReceives                    207825             0.0
UdpRcvbufErrors                 4                  0.0
  eth0: 10 2 1 5 0 0 0 0 10 2 2 6 0 0 0 0
cpu=0 found=9 invalid=6 insert=0 insert_failed=1 drop=0 early_drop=0 error=0 search_restart=7
cpu=1 found=9 invalid=6 insert=0 insert_failed=2 drop=0 early_drop=0 error=0 search_restart=7`;
  expect(Object.fromEntries(parseCounters(text))).toEqual({
    ...{ UdpRcvbufErrors: 4, "eth0/errors": 3, "eth0/dropped": 11 },
    ...{ insert_failed: 3, drop: 0, early_drop: 0 },
  });
});

describe("a round", () => {
  const loss = (pair: Pair, lost: number): PairLoss => ({
    pair: [...pair],
    to: pair[1],
    sent: 100,
    lost,
    longestGapMs: lost * 50,
    gapsAfterMs: [Date.parse("2026-01-01T00:00:05.000Z")],
  });
  const seen = {
    name: "some",
    convergence: { ms: 900, parts: { reach: 900, paths: 100 }, waitedFor: {}, missing: [] },
    changes: { acknowledged: 3, acknowledgedOfMembers: 1, failed: [] },
    problems: [],
    dropped: ["home's kernel counted wan/dropped 3"],
    log: parseLogLines(
      "hugo",
      ["03.900", "04.500", "05.200"]
        .map((at) => JSON.stringify({ time: `2026-01-01T00:00:${at}Z`, level: "info", message: "step done" }))
        .join("\n"),
    ),
  };

  test("tells of packets that must not be lost when it was, what kernels dropped and what was logged meanwhile", () => {
    const { problems } = judgeRound([{ mayLose: nobody }], { ...seen, losses: [loss(["carol", "dora"], 2)] });
    expect(problems).toEqual([
      "carol → dora: 2 of 100 pings lost, the first after 2026-01-01T00:00:05.000Z",
      "home's kernel counted wan/dropped 3",
      expect.stringMatching(/^meanwhile hugo: .*04\.500Z/),
      expect.stringMatching(/^meanwhile hugo: .*05\.200Z/),
    ]);
    expect(judgeRound([], { ...seen, losses: [] }).problems).toEqual([]);
  });

  test("tells packets that must not be lost from those that may", () => {
    const losses = [loss(["alice", "hugo"], 40), loss(["carol", "dora"], 2)];
    expect(judgeRound([{ mayLose: isRelayed }], { ...seen, losses })).toMatchObject({
      lostPackets: 42,
      lostUnexpectedly: 2,
      longestGapMs: 2_000,
      convergeMs: 900,
      problems: expect.arrayContaining([expect.stringMatching(/^carol → dora: 2 of 100 pings lost/)]),
    });
  });

  test("allows silence as long as what is broken allows it together", () => {
    const short = { mayLose: (pair: Pair) => pair.includes("carol"), longestGapMs: 1_000 };
    const judge = (faults: Parameters<typeof judgeRound>[0]) =>
      judgeRound(faults, { ...seen, losses: [loss(["carol", "dora"], 30)] }).problems;
    expect(judge([short])).toEqual(["carol → dora: silent for 1500 ms"]);
    expect(judge([short, { mayLose: nobody }])).toEqual(["carol → dora: silent for 1500 ms"]);
    expect(judge([short, short])).toEqual([]);
    expect(judge([short, { mayLose: () => true }])).toEqual([]);
  });

  test("in which many changes were acknowledged and none was of a member tests too little", () => {
    const judge = (acknowledged: number, acknowledgedOfMembers: number) =>
      judgeRound([], { ...seen, losses: [], changes: { acknowledged, acknowledgedOfMembers, failed: [] } }).problems;
    expect(judge(10, 0)).toEqual(["no member came or went"]);
    expect([...judge(10, 1), ...judge(9, 0), ...judge(0, 0)]).toEqual([]);
  });

  test("that never was well again misses its limit, and says what was missing", () => {
    const convergence = { ms: null, parts: { reach: null }, waitedFor: {}, missing: ["reach: carol → dora"] };
    const round = judgeRound([{ mayLose: nobody }], { ...seen, convergence, losses: [] });
    const result = FaultsResult.parse({
      ...{ seed: 1, seconds: 6, acknowledged: 3, acknowledgedLost: 1, addressesGivenTwice: 0, lostUnexpectedly: 0 },
      ...{ maxConvergeMs: null, problems: round.problems, faults: [round, judgeRound([], { ...seen, losses: [] })] },
    });
    expect(missedLimits(result)).toEqual([
      "1 changes that were acknowledged are lost",
      "some: never well again, at most 15000 ms",
    ]);
    const text = renderFaults(result);
    expect(text).toContain("some   0     0           0 ms         never       reach");
    expect(text).toContain("never well again: reach: carol → dora");
  });
});
