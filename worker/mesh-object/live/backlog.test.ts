import { expect, it } from "vitest";
import { MAX_UNSEEN_FRAMES } from "#schema/live/pace";
import { createBacklog, MAX_UNSEEN_CHARACTERS } from "./backlog.ts";

it("is full of many frames, and of few long ones, until they were seen", () => {
  const many = createBacklog();
  for (let count = 1; count < MAX_UNSEEN_FRAMES; count++) many.sent("x");
  expect(many.isFull()).toBe(false);
  many.sent("x");
  expect(many.isFull()).toBe(true);
  many.seen(1);
  expect(many.isFull()).toBe(false);

  const long = createBacklog();
  const half = "x".repeat(MAX_UNSEEN_CHARACTERS / 2);
  long.sent(half);
  long.sent(half);
  expect(long.isFull()).toBe(true);
  // Said twice, it is seen once.
  long.seen(1);
  long.seen(1);
  long.sent(half);
  expect(long.isFull()).toBe(true);
});

it("begins anew in an object that slept, whatever was counted before", () => {
  const backlog = createBacklog();
  backlog.seen(500);
  for (let count = 0; count < MAX_UNSEEN_FRAMES; count++) backlog.sent("x");
  expect(backlog.isFull()).toBe(true);
  backlog.seen(500 + MAX_UNSEEN_FRAMES);
  expect(backlog.isFull()).toBe(false);
});
