import { expect, test } from "vitest";
import { parseMemory, parseRssMb, parseStat } from "./parse-proc.ts";

test("times are of the process itself and of the children it has waited for", () => {
  const text =
    "4242 (node) S 1 4242 4242 0 -1 4194560 12345 678 9 0 250 50 30 7 20 0 11 0 99 1000000 16000 18446744073709551615 1 1 0";
  expect(parseStat(text)).toEqual({ name: "node", ownTicks: 300, childTicks: 37 });
});

test("a name with spaces and parentheses moves nothing", () => {
  const text = "7 (a) (b c) R 1 7 7 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 9 1 1 1";
  expect(parseStat(text)).toEqual({ name: "a) (b c", ownTicks: 3, childTicks: 7 });
});

test("what is no stat line is an error, not a zero", () => {
  expect(() => parseStat("7 (short) R 1")).toThrow("no process times");
});

test("resident memory is in MiB", () => {
  expect(parseRssMb("Name:\tnode\nVmHWM:\t   90000 kB\nVmRSS:\t   65536 kB\nThreads:\t11\n")).toBe(64);
});

test("a process that has ended has none", () => {
  expect(() => parseRssMb("Name:\tnode\nState:\tZ (zombie)\n")).toThrow("has ended");
});

test("proportional memory is in MiB, shared pages whole and by shares", () => {
  const text =
    "5581c000-7ffd1000 ---p 00000000 00:00 0    [rollup]\nRss:    4096 kB\nPss:    1536 kB\nPss_Dirty:  512 kB\n";
  expect(parseMemory(text)).toEqual({ rssMb: 4, pssMb: 1.5 });
});

test("a process that has ended has no memory", () => {
  expect(() => parseMemory("")).toThrow("has ended");
});
