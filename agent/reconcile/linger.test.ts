import { describe, expect, it, vi } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createLinger } from "./linger.ts";

const LINGER_MS = 5_000;

function setUp() {
  const clock = createFakeClock();
  const onOver = vi.fn();
  const linger = createLinger<string>({ clock, lingerMs: LINGER_MS, toId: (value) => value, onOver });
  return { clock, linger, onOver };
}

describe("what lingers", () => {
  it("is what went, for a moment, after what is there", async () => {
    const { clock, linger, onOver } = setUp();
    expect(linger.extend("mesh", ["a", "b"])).toEqual(["a", "b"]);
    expect(linger.extend("mesh", ["b", "c"])).toEqual(["b", "c", "a"]);
    await clock.advance(LINGER_MS - 1);
    expect(linger.extend("mesh", ["b", "c"])).toEqual(["b", "c", "a"]);
    expect(onOver).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(onOver).toHaveBeenCalledOnce();
    expect(linger.extend("mesh", ["b", "c"])).toEqual(["b", "c"]);
  });

  it("is over for each at its own time", async () => {
    const { clock, linger, onOver } = setUp();
    linger.extend("mesh", ["a", "b"]);
    linger.extend("mesh", ["b"]);
    await clock.advance(2_000);
    expect(linger.extend("mesh", [])).toEqual(["a", "b"]);
    await clock.advance(3_000);
    expect(linger.extend("mesh", [])).toEqual(["b"]);
    await clock.advance(2_000);
    expect(linger.extend("mesh", [])).toEqual([]);
    expect(onOver).toHaveBeenCalledTimes(2);
  });

  it("is there now when it comes back, and lingers anew when it goes again", async () => {
    const { clock, linger } = setUp();
    linger.extend("mesh", ["a"]);
    linger.extend("mesh", []);
    await clock.advance(4_000);
    expect(linger.extend("mesh", ["a"])).toEqual(["a"]);
    await clock.advance(10_000);
    linger.extend("mesh", []);
    await clock.advance(4_000);
    expect(linger.extend("mesh", [])).toEqual(["a"]);
  });

  it("is the same list for the same list", () => {
    const { linger } = setUp();
    const [first, second] = [["a"], ["b"]];
    expect(linger.extend("mesh", first)).toBe(first);
    const extended = linger.extend("mesh", second);
    expect(linger.extend("mesh", second)).toBe(extended);
  });

  it("is of one mesh, and forgotten with it", () => {
    const { linger } = setUp();
    linger.extend("one", ["a"]);
    linger.extend("other", ["b"]);
    linger.extend("one", []);
    expect(linger.extend("other", ["b"])).toEqual(["b"]);
    linger.forget("one");
    expect(linger.extend("one", [])).toEqual([]);
  });
});
