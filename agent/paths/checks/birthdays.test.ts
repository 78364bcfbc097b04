import { beforeEach, describe, expect, it } from "vitest";
import { type BirthdayParty, type Birthdays, createBirthdays } from "./birthdays.ts";

let birthdays: Birthdays;
let begun: string[];
beforeEach(() => {
  birthdays = createBirthdays();
  begun = [];
});

const createParty = (name: string, isWanted = () => true): BirthdayParty => ({
  begin() {
    begun.push(name);
    return isWanted();
  },
});
const settle = () => new Promise<void>((resolve) => queueMicrotask(resolve));

describe("turns to guess ports", () => {
  it("are one at a time, in order of asking", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => createParty(name)) as [BirthdayParty, BirthdayParty, BirthdayParty];
    for (const party of [a, b, c, a, b]) birthdays.ask(party);
    expect(begun).toEqual([]);
    await settle();
    expect(begun).toEqual(["a"]);
    birthdays.ask(a);
    await settle();
    expect(begun).toEqual(["a"]);
    birthdays.leave(a);
    await settle();
    expect(begun).toEqual(["a", "b"]);
    birthdays.leave(c);
    birthdays.leave(b);
    await settle();
    expect(begun).toEqual(["a", "b"]);
    birthdays.ask(a);
    await settle();
    expect(begun).toEqual(["a", "b", "a"]);
  });

  it("pass by who does not want it any more", async () => {
    const [a, b] = [createParty("a", () => false), createParty("b")];
    birthdays.ask(a);
    birthdays.ask(b);
    await settle();
    expect(begun).toEqual(["a", "b"]);
  });

  it("pass on when who has it leaves while it begins", async () => {
    const a: BirthdayParty = {
      begin() {
        begun.push("a");
        birthdays.leave(a);
        return false;
      },
    };
    birthdays.ask(a);
    birthdays.ask(createParty("b"));
    birthdays.ask(createParty("c"));
    await settle();
    await settle();
    expect(begun).toEqual(["a", "b"]);
  });

  it("come to none of those that leave in one go", async () => {
    const parties = ["a", "b", "c"].map((name) => createParty(name));
    for (const party of parties) birthdays.ask(party);
    await settle();
    for (const party of parties) birthdays.leave(party);
    await settle();
    expect(begun).toEqual(["a"]);
  });
});
