import { describe, expect, it } from "vitest";
import { listMeshes } from "#schema/api/meshes";
import { Role } from "#schema/api/operation";
import { ALL_OPERATIONS, UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, OWNER_TOKEN } from "../testing/create-test-app.ts";
import { isAllowed } from "./caller.ts";

const app = createTestApp();

const guarded = ALL_OPERATIONS.filter(({ role }) => role !== "anyone");

it("is asked for by every operation but those of signing in and out", () => {
  const open = ALL_OPERATIONS.filter((operation) => !guarded.includes(operation)).map(({ id }) => id);
  expect(open).toEqual(["getSignInOptions", "signInByLink", "signOut"]);
});

describe.each(guarded)("$id ($role)", (operation) => {
  const request = { params: UNKNOWN_IDS, ...(operation.body === undefined ? {} : { body: { name: 1 } }) };

  it("refuses who has no token, and who has a wrong one", async () => {
    for (const token of [null, "nonsense", `bkt_${"x".repeat(43)}`, OWNER_TOKEN.slice(1)]) {
      const answer = await app.call(operation, { ...request, as: { token } });
      expect(answer.problem.code).toBe("unauthenticated");
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  it.each(Role.options)("lets %s in only when the role is enough", async (role) => {
    const answer = await app.call(operation, { ...request, as: role });
    if (isAllowed(role, operation.role)) {
      // 409: there is nothing to upgrade. 426: a WebSocket is what is asked for.
      expect([200, 201, 204, 404, 409, 422, 426]).toContain(answer.status);
    } else {
      expect(answer.problem.code).toBe("forbidden");
    }
  });
});

describe("the owner's built-in token", () => {
  it("opens nothing when there is none", async () => {
    const without = createTestApp({ ownerToken: null });
    for (const token of [OWNER_TOKEN, "null", ""]) {
      expect((await without.call(listMeshes, { as: { token } })).problem.code).toBe("unauthenticated");
    }
  });
});

describe("the authorization header", () => {
  it.each(["", "Bearer", "Basic b3duZXI=", `bearer  ${OWNER_TOKEN} x`, `Bearer ${OWNER_TOKEN}, Bearer x`])(
    "%j is no bearer token",
    async (authorization) => {
      expect((await app.fetch("/api/v1/meshes", { headers: { authorization } })).status).toBe(401);
    },
  );

  it("takes the scheme in any case", async () => {
    const headers = { authorization: `bEARER ${OWNER_TOKEN}` };
    expect((await app.fetch("/api/v1/meshes", { headers })).status).toBe(200);
  });
});
