import { describe, expect, it } from "vitest";
import { User } from "#schema/api/users";
import { isLastOwner, listRoleConsequences, selectUsers, toUserState } from "./user-model.ts";

const ID_TAIL = "01kaqx4d8e6v2m9t7w3hncz5r";
const user = (last: string, facts: object = {}): User =>
  User.parse({
    ...{ id: `usr_${ID_TAIL}${last}`, name: "Ann Example", email: "ann@example.org", role: "owner", isBlocked: false },
    ...{ knownBy: "oidc", createdAt: "2026-11-23T09:30:00.000Z", lastSignInAt: "2026-11-23T09:30:00.000Z" },
    ...facts,
  });

describe("the last owner", () => {
  const ann = user("a");
  it("is the only one who is not blocked", () => {
    expect(isLastOwner(ann, [ann, user("b", { role: "admin" }), user("c", { isBlocked: true })])).toBe(true);
    expect(isLastOwner(ann, [ann, user("b")])).toBe(false);
  });

  it("is nobody who is blocked or of another role", () => {
    const blocked = user("b", { isBlocked: true });
    expect(isLastOwner(blocked, [ann, blocked])).toBe(false);
    const viewer = user("c", { role: "viewer" });
    expect(isLastOwner(viewer, [ann, viewer])).toBe(false);
  });
});

it("says invited of who never came, and blocked before all else", () => {
  expect(toUserState(user("a")).label).toBe("active");
  expect(toUserState(user("a", { lastSignInAt: null })).label).toBe("invited");
  expect(toUserState(user("a", { lastSignInAt: null, isBlocked: true })).label).toBe("blocked");
});

it("finds users by name and email, and puts them in the order of their names", () => {
  const all = [user("a", { name: "Zoe", email: null }), user("b"), user("c", { name: "bob", email: "b@x.example" })];
  expect(selectUsers(all, "").map(({ name }) => name)).toEqual(["Ann Example", "bob", "Zoe"]);
  expect(selectUsers(all, "EXAMPLE.org ann").map(({ name }) => name)).toEqual(["Ann Example"]);
});

describe("another role", () => {
  it("says what it allows, what it takes, and what it leaves", () => {
    expect(listRoleConsequences({ role: "viewer" }, "owner", false)).toEqual([expect.stringContaining("everything")]);
    expect(listRoleConsequences({ role: "admin" }, "viewer", false)).toEqual([
      "The user can then look at everything and change nothing.",
      expect.stringContaining("stay good"),
    ]);
    expect(listRoleConsequences({ role: "owner" }, "admin", true)).toContain(
      "You lose this page; only another owner can give it back.",
    );
  });
});
