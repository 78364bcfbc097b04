import { describe, expect, it } from "vitest";
import type { AnnouncerHealth } from "#schema/announcement-state";
import { type Announced, isUnheld, listAnnouncers } from "./announcers-model.ts";

const of = (states: Record<string, AnnouncerHealth["state"]>, heldBy: string | null = null): Announced => ({
  ...{ enabled: true, heldBy, machineIds: Object.keys(states) },
  announcers: Object.entries(states).map(([id, state]) => ({
    ...{ machineId: id as AnnouncerHealth["machineId"], state, since: null, text: `${id} said` },
  })),
});
const names = new Map([["a", "alice"]]);

describe("the machines of a VIP", () => {
  it("begin with the one that traffic goes to, then those that need a look", () => {
    const states = { a: "healthy", b: "offline", c: "failing", d: "healthy", e: "unknown" } as const;
    const shown = listAnnouncers(of(states, "d"), names).map(({ name, isHolder }) => `${name}${isHolder ? "!" : ""}`);
    expect(shown).toEqual(["d!", "c", "e", "b", "alice"]);
  });

  it("say what a check found where it does not pass", () => {
    const texts = listAnnouncers(of({ a: "failing", b: "healthy", c: "pending" }), names).map(({ text }) => text);
    expect(texts).toEqual(["a said", "c said", null]);
  });

  it("have no state while it is disabled", () => {
    const disabled = { enabled: false, heldBy: null, machineIds: ["a"], announcers: [] };
    expect(listAnnouncers(disabled, names)).toMatchObject([{ name: "alice", state: null, isHolder: false }]);
  });
});

it("a VIP that none of its machines announces is held by nobody", () => {
  expect(isUnheld(of({ a: "failing" }))).toBe(true);
  expect(isUnheld(of({ a: "healthy" }, "a"))).toBe(false);
  expect(isUnheld(of({}))).toBe(false);
  expect(isUnheld(of({ a: "failing", b: "unknown" }))).toBe(false);
  expect(isUnheld({ ...of({ a: "failing" }), enabled: false })).toBe(false);
});
