import { describe, expect, it } from "vitest";
import { toSparkPath } from "./spark-path.ts";

const FRAME = { width: 59, height: 12, top: 10 };

describe("a sparkline", () => {
  it("ends at the right edge and keeps inside its frame", () => {
    expect(toSparkPath([0, 10, 50], FRAME)).toEqual({
      line: "M57.0 11.0L58.0 1.0L59.0 1.0",
      area: "M57.0 11.0L58.0 1.0L59.0 1.0L59.0 12.0L57.0 12.0Z",
    });
  });

  it("leaves a gap where nothing was measured", () => {
    expect(toSparkPath([1, 1, null, 1, 1], FRAME).line.match(/M/g)).toHaveLength(2);
  });

  it("draws nothing for less than two samples, and only what fits", () => {
    expect(toSparkPath([3], FRAME)).toEqual({ line: "", area: "" });
    expect(toSparkPath(Array(100).fill(1), FRAME).line.match(/L/g)).toHaveLength(59);
  });
});
