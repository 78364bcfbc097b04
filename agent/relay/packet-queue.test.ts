import fc from "fast-check";
import { expect, test } from "vitest";
import { createPacketQueue } from "./packet-queue.ts";

const Step = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constant("shift" as const));

test("is a queue that forgets its oldest packets, and never holds more bytes than allowed", () => {
  fc.assert(
    fc.property(fc.array(Step, { maxLength: 1_000, size: "max" }), (steps) => {
      const queue = createPacketQueue(100);
      let model: Uint8Array[] = [];
      let dropped = 0;
      const sum = () => model.reduce((total, { length }) => total + length, 0);
      for (const step of steps) {
        if (step === "shift") {
          expect(queue.shift()).toBe(model[0]);
          model = model.slice(1);
        } else {
          const packet = new Uint8Array(step);
          queue.push(packet);
          model.push(packet);
          for (; sum() > 100; dropped++) model = model.slice(1);
        }
        expect([queue.bytes, queue.dropped]).toEqual([sum(), dropped]);
      }
    }),
    { numRuns: 30 },
  );
});

test("drops a packet that is larger than all its room", () => {
  const queue = createPacketQueue(10);
  queue.push(new Uint8Array(11));
  expect([queue.shift(), queue.bytes, queue.dropped]).toEqual([undefined, 0, 1]);
});

test("is empty when cleared, and goes on", () => {
  const queue = createPacketQueue(10);
  queue.push(new Uint8Array(4));
  queue.clear();
  expect([queue.shift(), queue.bytes]).toEqual([undefined, 0]);
  queue.push(new Uint8Array(5));
  expect(queue.shift()).toHaveLength(5);
});
