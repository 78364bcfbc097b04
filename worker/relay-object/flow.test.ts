import fc from "fast-check";
import { expect, test } from "vitest";
import { RELAY_QUEUE_BYTES, RELAY_WINDOW_BYTES } from "#schema/wire/relay";
import { createFlow } from "./flow.ts";

const KIB = 1_024;
const FRESH = { sentBytes: 0, ackedBytes: 0 };
const frameOf = (byteLength: number) => new ArrayBuffer(byteLength);
const sum = (frames: readonly ArrayBuffer[]) => frames.reduce((bytes, { byteLength }) => bytes + byteLength, 0);

test("a receiver gets frames as they come, until the window is full", () => {
  const flow = createFlow(FRESH);
  const frame = frameOf(16 * KIB);
  for (let count = 0; count < 64; count++) expect(flow.offer(frame)).toEqual([frame]);
  expect(flow.offer(frame)).toEqual([]);
  expect(flow.counters).toEqual({ sentBytes: RELAY_WINDOW_BYTES, ackedBytes: 0 });
});

test("an acknowledgement lets as much follow as it says was taken, in order", () => {
  const flow = createFlow({ sentBytes: RELAY_WINDOW_BYTES, ackedBytes: 0 });
  const frames = [1, 2, 3].map((kib) => frameOf(kib * KIB));
  for (const frame of frames) expect(flow.offer(frame)).toEqual([]);
  expect(flow.acknowledge(3 * KIB)).toEqual(frames.slice(0, 2));
  expect(flow.acknowledge(6 * KIB)).toEqual(frames.slice(2));
});

test("what waits is bounded, and the oldest goes first", () => {
  const flow = createFlow({ sentBytes: RELAY_WINDOW_BYTES, ackedBytes: 0 });
  const frames = Array.from({ length: 1_000 }, () => frameOf(KIB));
  for (const frame of frames) flow.offer(frame);
  const kept = flow.acknowledge(RELAY_WINDOW_BYTES);
  expect(sum(kept)).toBe(RELAY_QUEUE_BYTES);
  expect(kept.every((frame, index) => frame === frames[frames.length - kept.length + index])).toBe(true);
});

test("a frame does not overtake one that waits, though it is small enough", () => {
  const flow = createFlow({ sentBytes: RELAY_WINDOW_BYTES - KIB, ackedBytes: 0 });
  const [large, small] = [frameOf(2 * KIB), frameOf(100)];
  expect([flow.offer(large), flow.offer(small)]).toEqual([[], []]);
  expect(flow.acknowledge(2 * KIB)).toEqual([large, small]);
});

test("whatever is offered and acknowledged, at most a window is under way, and a receiver that takes everything gets frames again", () => {
  const step = fc.oneof(
    fc.record({ offer: fc.integer({ min: 22, max: 16 * KIB }), ack: fc.constant(null) }),
    fc.record({ offer: fc.constant(null), ack: fc.oneof(fc.maxSafeNat(), fc.integer({ min: 0, max: 3_000_000 })) }),
    fc.constant("hibernate" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      let flow = createFlow(FRESH);
      let sentBytes = 0;
      for (const next of steps) {
        if (next === "hibernate") {
          flow = createFlow(flow.counters);
          continue;
        }
        sentBytes += sum(next.ack === null ? flow.offer(frameOf(next.offer)) : flow.acknowledge(next.ack));
        expect(flow.counters.sentBytes).toBe(sentBytes);
        expect(flow.counters.sentBytes - flow.counters.ackedBytes).toBeLessThanOrEqual(RELAY_WINDOW_BYTES);
        expect(flow.counters.ackedBytes).toBeLessThanOrEqual(sentBytes);
      }
      while (flow.acknowledge(flow.counters.sentBytes).length > 0) {}
      const frame = frameOf(KIB);
      expect(flow.offer(frame)).toEqual([frame]);
    }),
  );
});
