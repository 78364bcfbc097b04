import { describe, expect, it } from "vitest";
import { createApiToken, listApiTokens, revokeApiToken } from "#schema/api/api-tokens";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, listJoinTokens, revokeJoinToken } from "#schema/api/join-tokens";
import { createMesh, listMeshes } from "#schema/api/meshes";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";

const app = createTestApp();

describe("join tokens", () => {
  it("are shown once, good for 10 minutes and any number of machines unless asked otherwise", async () => {
    const token = (await app.call(createJoinToken, { body: {} })).reply;
    expect(token).toMatchObject({ status: "active", maxUses: null, uses: 0, meshIds: null });
    expect(Date.parse(token.expiresAt) - Date.parse(token.createdAt)).toBe(600_000);
    const listed = await app.fetch("/api/v1/join-tokens?limit=500", {
      headers: { authorization: "Bearer owner-token-of-the-tests" },
    });
    expect(await listed.text()).not.toContain(token.token);
  });

  it("may carry meshes, which must exist and must not overlap", async () => {
    const create = async (cidr: string) =>
      (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr } })).reply.id;
    const [one, two, overlapping] = [
      await create("10.1.0.0/24"),
      await create("10.2.0.0/24"),
      await create("10.1.0.0/28"),
    ];
    const made = await app.call(createJoinToken, { body: { meshIds: [two, one, two] } });
    expect(made.reply.meshIds).toEqual([two, one]);
    const unknown = { meshIds: [one, "msh_01arz3ndektsv4rrffq69g5fav"] };
    const missing = await app.call(createJoinToken, { body: unknown });
    expect(missing.problem).toMatchObject({ code: "mesh_not_found", errors: [{ path: "meshIds.1" }] });
    const clash = await app.call(createJoinToken, { body: { meshIds: [one, overlapping] } });
    expect(clash.problem).toMatchObject({ code: "cidr_overlap", errors: [{ path: "meshIds" }] });
  });

  it("say why they let nobody in any more", async () => {
    const make = async (body: object) => (await app.call(createJoinToken, { body })).reply;
    const [usedUp, revoked, expired] = [
      await make({ maxUses: 1 }),
      await make({}),
      await make({ expiresInSeconds: 60 }),
    ];
    await enrolMachine(app, { token: usedUp.token });
    await app.call(revokeJoinToken, { params: { joinTokenId: revoked.id } });
    const later = createTestApp({ now: () => Date.now() + 61_000 });
    const { items } = (await later.call(listJoinTokens, { query: { limit: "500" } })).reply;
    const statusOf = (id: string) => items.find((item) => item.id === id)?.status;
    expect([usedUp, revoked, expired].map(({ id }) => statusOf(id))).toEqual(["used_up", "revoked", "expired"]);
  });

  it("can be revoked twice, and leave one trace", async () => {
    const { id } = (await app.call(createJoinToken, { body: {} })).reply;
    const params = { joinTokenId: id };
    expect((await app.call(revokeJoinToken, { params })).status).toBe(204);
    expect((await app.call(revokeJoinToken, { params })).status).toBe(204);
    const query = { subjectId: id };
    const actions = (await app.call(listAuditEvents, { query })).reply.items.map(({ action }) => action);
    expect(actions).toEqual(["join_token.revoked", "join_token.created"]);
    const unknown = { joinTokenId: "jtk_01arz3ndektsv4rrffq69g5fav" };
    expect((await app.call(revokeJoinToken, { params: unknown })).problem.code).toBe("join_token_not_found");
  });
});

describe("API tokens", () => {
  it("open the API with their role until they expire", async () => {
    const { token, expiresAt } = (await app.call(createApiToken, { body: { name: "ci", role: "viewer" } })).reply;
    expect((await app.call(listMeshes, { as: { token } })).status).toBe(200);
    expect((await app.call(createJoinToken, { as: { token }, body: {} })).problem.code).toBe("forbidden");
    const later = createTestApp({ now: () => Date.parse(expiresAt) });
    expect((await later.call(listMeshes, { as: { token } })).problem.code).toBe("api_token_expired");
  });

  it("are revoked at once", async () => {
    const { id, token } = (await app.call(createApiToken, { body: { name: "short", role: "admin" } })).reply;
    const params = { apiTokenId: id };
    expect((await app.call(revokeApiToken, { params })).status).toBe(204);
    expect((await app.call(listMeshes, { as: { token } })).problem.code).toBe("unauthenticated");
    expect((await app.call(revokeApiToken, { params })).problem.code).toBe("api_token_not_found");
    const { items } = (await app.call(listApiTokens, { query: { limit: "500" } })).reply;
    expect(items.map((item) => item.id)).not.toContain(id);
  });

  it("leave one owner, where there is no built-in token", async () => {
    const make = async () => (await app.call(createApiToken, { body: { name: "owner", role: "owner" } })).reply;
    const [first, second] = [await make(), await make()];
    const withoutBuiltIn = createTestApp({ ownerToken: null });
    const revoke = (id: string) =>
      withoutBuiltIn.call(revokeApiToken, { params: { apiTokenId: id }, as: { token: first.token } });
    expect((await revoke(second.id)).status).toBe(204);
    expect((await revoke(first.id)).problem.code).toBe("last_owner_token");
  });

  it("leave one owner when the last two revoke each other at once, and say so once", async () => {
    const withoutBuiltIn = createTestApp({ ownerToken: null });
    const { items } = (await app.call(listApiTokens, { query: { limit: "500" } })).reply;
    for (const { id } of items) await app.call(revokeApiToken, { params: { apiTokenId: id } });
    const create = async (name: string) => (await app.call(createApiToken, { body: { name, role: "owner" } })).reply;
    const owners = [await create("one"), await create("two")] as const;
    const answers = await Promise.all(
      owners.map(({ token }, index) =>
        withoutBuiltIn.call(revokeApiToken, {
          params: { apiTokenId: owners[1 - index]?.id ?? "" },
          as: { token },
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect((await app.call(listApiTokens, {})).reply.items).toHaveLength(1);
    const query = { action: "api_token.revoked" };
    const events = (await app.call(listAuditEvents, { query })).reply.items;
    expect(events.filter(({ subjectId }) => owners.some(({ id }) => id === subjectId))).toHaveLength(1);
  });

  it("are named in the audit trail of what they did", async () => {
    const { id, token } = (await app.call(createApiToken, { body: { name: "deployer", role: "admin" } })).reply;
    const made = (await app.call(createJoinToken, { as: { token }, body: {} })).reply;
    const [event] = (await app.call(listAuditEvents, { query: { subjectId: made.id } })).reply.items;
    expect(event?.actor).toEqual({ kind: "api_token", id, name: "deployer" });
  });
});
