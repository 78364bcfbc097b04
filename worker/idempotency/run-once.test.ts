import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApiToken } from "#schema/api/api-tokens";
import { createJoinToken, listJoinTokens } from "#schema/api/join-tokens";
import { createMesh } from "#schema/api/meshes";
import { createTestApp, uniqueName } from "../testing/create-test-app.ts";

const app = createTestApp();
const create = (key: string, body: object = {}, as?: { token: string }) =>
  app.call(createJoinToken, { body, headers: { "idempotency-key": key }, ...(as === undefined ? {} : { as }) });

describe("the same key with the same request", () => {
  it("gets the first answer again, the token included, and makes nothing new", async () => {
    const first = await create("one");
    const second = await create("one");
    expect(second.reply).toEqual(first.reply);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    const { items } = (await app.call(listJoinTokens, { query: { limit: "500" } })).reply;
    expect(items.filter(({ id }) => id === first.reply.id)).toHaveLength(1);
  });

  it("runs once when many arrive together: the others get the answer or are told to wait", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create("crowd")));
    const made = answers.filter(({ status }) => status === 201).map(({ reply }) => reply.id);
    expect(new Set(made).size).toBe(1);
    const waiting = answers.filter(({ status }) => status !== 201);
    for (const { problem } of waiting) expect(problem.code).toBe("idempotency_in_progress");
  });

  it("runs anew after 24 h", async () => {
    const first = await create("day");
    const nextDay = createTestApp({ now: () => Date.now() + 24 * 3_600_000 + 1_000 });
    const second = await nextDay.call(createJoinToken, { body: {}, headers: { "idempotency-key": "day" } });
    expect(second.reply.id).not.toBe(first.reply.id);
  });

  it("is judged anew after a refusal, which changed nothing", async () => {
    const name = uniqueName("mesh");
    const request = { body: { name, cidr: "10.1.0.0/24" } };
    await app.call(createMesh, request);
    const refused = await app.call(createMesh, { ...request, headers: { "idempotency-key": "refused" } });
    expect(refused.problem.code).toBe("name_taken");
    const again = await app.call(createMesh, { ...request, headers: { "idempotency-key": "refused" } });
    expect(again.problem.code).toBe("name_taken");
  });

  it("may run at once after a failure, and after a minute when the first request vanished", async () => {
    const failing = createTestApp({
      random: () => {
        throw new Error("no randomness");
      },
      log: { ...app.services.log, error: () => undefined },
    });
    const key = { "idempotency-key": "failed" };
    expect((await failing.call(createJoinToken, { body: {}, headers: key })).problem.code).toBe("internal_error");
    expect((await app.call(createJoinToken, { body: {}, headers: key })).status).toBe(201);

    await create("vanished");
    await env.DB.prepare("UPDATE idempotency_keys SET sealed_answer = NULL").run();
    expect((await create("vanished")).problem.code).toBe("idempotency_in_progress");
    const later = createTestApp({ now: () => Date.now() + 61_000 });
    const retried = await later.call(createJoinToken, { body: {}, headers: { "idempotency-key": "vanished" } });
    expect(retried.status).toBe(201);
  });
});

describe("the same key with another request", () => {
  it("is refused, for another body as for another path", async () => {
    await create("reused", { maxUses: 1 });
    expect((await create("reused", { maxUses: 2 })).problem.code).toBe("idempotency_key_reused");
    const body = { name: uniqueName("mesh"), cidr: "10.2.0.0/24" };
    const elsewhere = await app.call(createMesh, { body, headers: { "idempotency-key": "reused" } });
    expect(elsewhere.problem.code).toBe("idempotency_key_reused");
  });
});

describe("keys", () => {
  it("are each caller's own", async () => {
    const { token } = (await app.call(createApiToken, { body: { name: "other", role: "admin" } })).reply;
    const first = await create("shared");
    const second = await create("shared", {}, { token });
    expect(second.reply.id).not.toBe(first.reply.id);
  });

  it("must be visible ASCII of at most 255 characters", async () => {
    for (const key of ["x".repeat(256), "a b"]) {
      expect((await create(key)).problem.errors?.[0]?.path).toBe("Idempotency-Key");
    }
  });
});

it("stores answers so that the database alone does not open them", async () => {
  const { reply } = await create("sealed");
  const rows = (await env.DB.prepare("SELECT * FROM idempotency_keys WHERE sealed_answer IS NOT NULL").all()).results;
  const dump = JSON.stringify(rows);
  expect(rows.length).toBeGreaterThan(0);
  for (const secret of [reply.token, reply.id, 'sealed"']) expect(dump).not.toContain(secret);
});
