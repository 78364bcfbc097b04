import { describe, expect, it } from "vitest";
import { formatAge, formatBitRate, formatMs, formatQuantity, formatRatio, formatUntil } from "./format.ts";

describe("ages", () => {
  it.each([
    [0, "now"],
    [-5_000, "now"],
    [59_000, "59 s"],
    [60_000, "1 min"],
    [3_599_000, "59 min"],
    [86_400_000 * 4 + 1, "4 d"],
  ])("says %d ms as %s", (ms, text) => expect(formatAge(1_000_000, 1_000_000 + ms)).toBe(text));

  it("says how long something still lasts, or that it ended", () => {
    expect(formatUntil(600_500, 0)).toBe("in 10 min");
    expect(formatUntil(10, 0)).toBe("in 1 s");
    expect(formatUntil(0, 0)).toBe("ended");
  });
});

describe("measures", () => {
  it("gives rates in bits, with three digits at most before the point", () => {
    expect(["0", 0.01, 100, 1_500, 125_000_000].map((value) => formatBitRate(Number(value)))).toEqual([
      "0",
      "0",
      "800 bit/s",
      "12.0 kbit/s",
      "1.0 Gbit/s",
    ]);
  });

  it("gives small values a digit after the point and large ones none", () => {
    expect([formatMs(0.42), formatMs(130.4), formatRatio(0), formatRatio(0.004), formatRatio(0.5)]).toEqual([
      "0.4 ms",
      "130 ms",
      "0 %",
      "0.4 %",
      "50 %",
    ]);
  });

  it("counts with the noun's right form", () => {
    expect([
      formatQuantity(1, "machine"),
      formatQuantity(1_200, "machine"),
      formatQuantity(2, "mesh", "meshes"),
    ]).toEqual(["1 machine", "1,200 machines", "2 meshes"]);
  });
});
