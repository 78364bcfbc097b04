import { beforeAll, describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, revokeJoinToken } from "#schema/api/join-tokens";
import { createMesh, deleteMesh, updateMesh } from "#schema/api/meshes";
import { createTestApp } from "../testing/create-test-app.ts";

const app = createTestApp();
const list = async (query: Record<string, string> = {}) => (await app.call(listAuditEvents, { query })).reply;
let meshId: string;

beforeAll(async () => {
  meshId = (await app.call(createMesh, { body: { name: "watched", cidr: "10.1.0.0/24" } })).reply.id;
  await app.call(updateMesh, { params: { meshId }, body: { name: "renamed" } });
  for (let index = 0; index < 5; index++) {
    const { id } = (await app.call(createJoinToken, { body: {} })).reply;
    await app.call(revokeJoinToken, { params: { joinTokenId: id } });
  }
  await app.call(deleteMesh, { params: { meshId } });
});

describe("the audit trail", () => {
  it("is newest first and pages through everything once", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await list({ limit: "4", ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...new Set(seen)].sort().reverse());
    expect(seen.length).toBeGreaterThanOrEqual(13);
  });

  it("is filtered by action, mesh and subject, alone and together", async () => {
    expect((await list({ action: "join_token.revoked" })).items).toHaveLength(5);
    const ofMesh = (await list({ meshId })).items;
    expect(ofMesh.map(({ action }) => action)).toEqual(["mesh.deleted", "mesh.updated", "mesh.created"]);
    expect((await list({ subjectId: meshId, action: "mesh.created" })).items).toHaveLength(1);
    expect((await list({ meshId, action: "join_token.created" })).items).toEqual([]);
  });

  it("keeps filters across pages", async () => {
    const first = await list({ action: "join_token.created", limit: "3" });
    const second = await list({ action: "join_token.created", limit: "3", cursor: first.nextCursor ?? "" });
    expect([...first.items, ...second.items].map(({ action }) => action)).toEqual(Array(5).fill("join_token.created"));
  });

  it("says who, what, when and in which request", async () => {
    const answer = await app.call(createJoinToken, { body: { maxUses: 7 }, as: "admin" });
    const [event] = (await list({ subjectId: answer.reply.id })).items;
    expect(event).toMatchObject({
      action: "join_token.created",
      actor: { kind: "api_token", name: "admin of the tests" },
      details: { maxUses: 7 },
      requestId: answer.headers.get("x-request-id"),
    });
    expect(Math.abs(Date.parse(event?.at ?? "") - Date.now())).toBeLessThan(10_000);
  });

  it("refuses an action that is none, and a cursor of another list", async () => {
    const wrong = await app.call(listAuditEvents, { query: { action: "mesh.painted" } });
    expect(wrong.problem.errors?.[0]?.path).toBe("action");
    const foreign = await app.call(listAuditEvents, { query: { cursor: btoa(meshId) } });
    expect(foreign.problem.code).toBe("cursor_invalid");
  });
});
