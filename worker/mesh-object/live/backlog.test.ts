import { describe, expect, it } from "vitest";
import { MAX_UNSEEN_CHARACTERS, MAX_UNSEEN_FRAMES } from "#schema/live/pace";
import { createBacklog, createUnseenSum, MAX_UNSEEN_OF_ALL, MAX_UNSEEN_OF_ONE } from "./backlog.ts";

const create = () => createBacklog("user:a", createUnseenSum());

describe("a watcher's backlog", () => {
  it("is full of many frames, and of few long ones, until they were seen", () => {
    const many = create();
    for (let count = 1; count < MAX_UNSEEN_FRAMES; count++) many.sent(`m${count}`, 1);
    expect(many.isFull()).toBe(false);
    many.sent("last", 1);
    expect(many.isFull()).toBe(true);
    many.seen("m1");
    expect(many.isFull()).toBe(false);

    const long = create();
    long.sent("one", MAX_UNSEEN_CHARACTERS / 2);
    long.sent("two", MAX_UNSEEN_CHARACTERS / 2);
    expect(long.isFull()).toBe(true);
    // Said twice, it is seen once.
    long.seen("one");
    long.seen("one");
    long.sent("three", MAX_UNSEEN_CHARACTERS / 2);
    expect(long.isFull()).toBe(true);
    long.seen("three");
    expect(long.unseen()).toBeNull();
  });

  it("does not believe that a frame was seen which was not sent", () => {
    const backlog = create();
    backlog.sent("sent", MAX_UNSEEN_CHARACTERS);
    for (const mark of ["guessed", "", "1000000000"]) backlog.seen(mark);
    expect(backlog.isFull()).toBe(true);
  });

  it("outlives an object that slept: all of it was seen when its last frame was", () => {
    const backlog = create();
    backlog.sent("one", MAX_UNSEEN_CHARACTERS);
    backlog.sent("two", 1);
    const woken = createBacklog("user:a", createUnseenSum(), backlog.unseen());
    woken.seen("one");
    expect(woken.isFull()).toBe(true);
    woken.seen("two");
    expect(woken.isFull()).toBe(false);
  });
});

describe("the backlogs of an object", () => {
  const fill = (sum: ReturnType<typeof createUnseenSum>, actor: string) => {
    const backlogs = Array.from({ length: MAX_UNSEEN_OF_ONE / MAX_UNSEEN_CHARACTERS }, () => createBacklog(actor, sum));
    for (const backlog of backlogs) backlog.sent("m", MAX_UNSEEN_CHARACTERS);
    return backlogs;
  };

  it("are bounded for one actor, whose other sockets get nothing, and all others do", () => {
    const sum = createUnseenSum();
    const [first] = fill(sum, "user:a");
    const [another, other] = [createBacklog("user:a", sum), createBacklog("user:b", sum)];
    expect([another.isFull(), other.isFull()]).toEqual([true, false]);
    first?.drop();
    first?.drop();
    expect(another.isFull()).toBe(false);
  });

  it("are bounded together", () => {
    const sum = createUnseenSum();
    const [first] = Array.from({ length: MAX_UNSEEN_OF_ALL / MAX_UNSEEN_OF_ONE }, (_, index) =>
      fill(sum, `user:${index}`),
    );
    const other = createBacklog("user:other", sum);
    expect(other.isFull()).toBe(true);
    first?.[0]?.seen("m");
    expect(other.isFull()).toBe(false);
  });
});
