import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { type Batcher, createBatcher } from "./batcher.ts";
import { readFrame } from "./framing.ts";

let clock: FakeClock;
let batcher: Batcher;
/** The first byte of each packet, frame by frame. */
let frames: number[][];

beforeEach(() => {
  clock = createFakeClock();
  frames = [];
  batcher = createBatcher(clock, (frame) => {
    const packets: number[] = [];
    readFrame(Buffer.from(frame), (packet) => packets.push(packet[0] ?? -1));
    frames.push(packets);
  });
});

const add = (first: number, length = 100) => batcher.add(new Uint8Array(length).fill(first));

describe("a batcher", () => {
  test("sends a packet after a pause at once, and joins what follows within a millisecond", async () => {
    add(1);
    expect(frames).toEqual([[1]]);
    add(2);
    add(3);
    expect(frames).toEqual([[1]]);
    await clock.advance(1);
    expect(frames).toEqual([[1], [2, 3]]);
    await clock.advance(1);
    add(4);
    expect(frames).toEqual([[1], [2, 3], [4]]);
    expect(clock.pending()).toBe(0);
  });

  test("waits no longer than until a frame is full", async () => {
    add(0);
    for (let each = 1; each <= 12; each++) add(each, 1_452);
    expect(frames).toEqual([[0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]);
    await clock.advance(1);
    expect(frames[2]).toEqual([12]);
    expect(clock.pending()).toBe(0);
  });

  test("sends what waits when told to", async () => {
    add(1);
    add(2);
    batcher.flush();
    batcher.flush();
    expect(frames).toEqual([[1], [2]]);
    expect(clock.pending()).toBe(0);
  });

  test("drops what waits when it is stopped", async () => {
    add(1);
    add(2);
    batcher.stop();
    await clock.advance(5);
    batcher.flush();
    expect(frames).toEqual([[1]]);
  });

  test("does not wait for ever when the clock was set back", async () => {
    let shift = 0;
    const jumping = createBatcher({ ...clock, now: () => clock.now() + shift }, () => frames.push([]));
    jumping.add(new Uint8Array(1));
    shift = -3_600_000;
    jumping.add(new Uint8Array(1));
    expect(frames).toHaveLength(2);
  });
});
