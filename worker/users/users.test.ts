import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import type { Role } from "#schema/api/operation";
import { createLoginLink, getMe, signInByLink } from "#schema/api/sign-in";
import { listUsers, removeUser, updateUser } from "#schema/api/users";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { createTestBrowser, signIn, tokenOf } from "../testing/test-browser.ts";

const app = createTestApp();
const signInAs = (role: Role) => signIn(app, { name: uniqueName("user"), role });
const list = async () => (await app.call(listUsers, { query: { limit: "500" } })).reply.items;
const update = (userId: string, body: object) => app.call(updateUser, { params: { userId }, body });
const remove = (userId: string) => app.call(removeUser, { params: { userId } });

/** Leaves these as the only owners. */
async function makeOnlyOwners(...ids: string[]): Promise<void> {
  for (const { id, role } of await list())
    if (role === "owner" && !ids.includes(id)) await update(id, { role: "viewer" });
}

describe("users", () => {
  it("are listed with what is known of them", async () => {
    const { user } = await signInAs("viewer");
    const [found] = (await list()).filter(({ id }) => id === user.id);
    expect(found).toMatchObject({ name: user.name, role: "viewer", isBlocked: false, knownBy: "link", email: null });
    const admin = await signInAs("admin");
    expect((await admin.browser.call(listUsers)).problem.code).toBe("forbidden");
  });

  it("have a new role at their next request", async () => {
    const { browser, user } = await signInAs("viewer");
    expect((await update(user.id, { role: "admin" })).reply).toMatchObject({ id: user.id, role: "admin" });
    expect((await browser.call(getMe)).reply.role).toBe("admin");
  });

  it("are out at once when they are blocked, also when they are let in again, until they sign in anew", async () => {
    const { browser, user } = await signInAs("admin");
    expect((await update(user.id, { isBlocked: true })).reply.isBlocked).toBe(true);
    expect((await browser.call(getMe)).problem.code).toBe("unauthenticated");
    expect((await update(user.id, { isBlocked: false })).reply.isBlocked).toBe(false);
    expect((await browser.call(getMe)).problem.code).toBe("unauthenticated");
    await signIn(app, { userId: user.id }, browser);
    expect((await browser.call(getMe)).status).toBe(200);
  });

  it("are forgotten when they are removed, with sessions and links", async () => {
    const { browser, user } = await signInAs("admin");
    const { url } = (await app.call(createLoginLink, { body: { userId: user.id } })).reply;
    expect((await remove(user.id)).status).toBe(204);
    expect((await browser.call(getMe)).problem.code).toBe("unauthenticated");
    const answer = await createTestBrowser(app).call(signInByLink, { body: { token: tokenOf(url) } });
    expect(answer.problem.code).toBe("login_link_invalid");
    expect((await remove(user.id)).problem.code).toBe("user_not_found");
    expect((await update(user.id, { role: "viewer" })).problem.code).toBe("user_not_found");
  });

  it("leave a trace of each change, and none of what is so already", async () => {
    const { user } = await signInAs("viewer");
    await update(user.id, { role: "admin" });
    await update(user.id, { role: "admin" });
    await update(user.id, { isBlocked: true });
    await remove(user.id);
    const { items } = (await app.call(listAuditEvents, { query: { subjectId: user.id } })).reply;
    expect(items.map(({ action, details }) => ({ action, details }))).toEqual([
      { action: "user.removed", details: { name: user.name, role: "admin" } },
      { action: "user.updated", details: { isBlocked: true } },
      { action: "user.updated", details: { role: "admin" } },
      { action: "user.created", details: { name: user.name, role: "viewer" } },
    ]);
  });
});

describe("the last owner", () => {
  it("can be neither removed, blocked nor given another role, and nothing is written", async () => {
    const { user } = await signInAs("owner");
    await makeOnlyOwners(user.id);
    const answers = [
      await remove(user.id),
      await update(user.id, { isBlocked: true }),
      await update(user.id, { role: "admin" }),
      await update(user.id, { role: "viewer", isBlocked: true }),
    ];
    expect(answers.map(({ problem }) => problem.code)).toEqual(Array(4).fill("last_owner"));
    expect((await list()).find(({ id }) => id === user.id)).toMatchObject({ role: "owner", isBlocked: false });
    const { items } = (await app.call(listAuditEvents, { query: { subjectId: user.id } })).reply;
    expect(items.map(({ action }) => action)).toEqual(["user.created"]);
  });

  it("is not one who is blocked", async () => {
    const [blocked, left] = [await signInAs("owner"), await signInAs("owner")];
    await makeOnlyOwners(blocked.user.id, left.user.id);
    expect((await update(blocked.user.id, { isBlocked: true })).status).toBe(200);
    expect((await remove(left.user.id)).problem.code).toBe("last_owner");
    expect((await remove(blocked.user.id)).status).toBe(204);
  });

  it("stays when the last two demote each other at once", async () => {
    const [one, two] = [await signInAs("owner"), await signInAs("owner")];
    await makeOnlyOwners(one.user.id, two.user.id);
    const demote = (by: typeof one, whom: typeof one) =>
      by.browser.call(updateUser, { params: { userId: whom.user.id }, body: { role: "viewer" } });
    const answers = await Promise.all([demote(one, two), demote(two, one)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await list()).filter(({ role }) => role === "owner")).toHaveLength(1);
  });
});
