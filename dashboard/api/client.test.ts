import { describe, expect, it } from "vitest";
import { createMesh, deleteMesh, listMeshes } from "#schema/api/meshes";
import { ApiError, isPassing, toFieldErrors } from "./api-error.ts";
import { createClient } from "./client.ts";

const MESH = {
  ...{ id: "msh_01kaqx4d8e6v2m9t7w3hncz5rb", name: "office", cidr: "10.1.0.0/16", cidr6: "fd5a:7c1e:9b02::/64" },
  ...{ asn: 4_200_000_000, fallback: "relay", isDefault: true, memberCount: 0, availableAddressCount: 65_534 },
  ...{ routeReflectorMode: false, keyRotationDays: null, importPolicySetId: null, exportPolicySetId: null },
  createdAt: "2026-11-23T09:30:00.000Z",
};
const PROBLEM = {
  ...{ type: "urn:becket:problem:validation_failed", title: "The request is not valid", status: 422 },
  ...{ code: "validation_failed", requestId: "req_1", detail: "cidr: must be private" },
  errors: [{ path: "cidr", message: "must be private" }],
};
const json = (status: number, body: unknown) => Response.json(body, { status, headers: { "x-request-id": "req_1" } });

interface Call extends RequestInit {
  readonly path: string;
}

/** A control plane that gives one answer after the other. */
function createFake(...answers: (Response | Error)[]) {
  const calls: Call[] = [];
  const client = createClient({
    readToken: () => "bkt_x",
    async fetch(path, init) {
      calls.push({ path, ...init });
      const answer = answers[calls.length - 1];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no more answers");
      return answer;
    },
  });
  return { client, calls };
}

const failureOf = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: ApiError) => error,
  );

describe("a call", () => {
  it("sends what the operation says, with the token and the key, and no cookie elsewhere", async () => {
    const { client, calls } = createFake(json(201, { ...MESH, warnings: [] }));
    const body = { name: "office", cidr: "10.1.0.0/16" };
    const mesh = await client.call(createMesh, { body }, { idempotencyKey: "k1" });
    expect(mesh.name).toBe("office");
    expect(calls).toEqual([
      {
        path: "/api/v1/meshes",
        method: "POST",
        headers: {
          accept: "application/json",
          "content-type": "application/json",
          authorization: "Bearer bkt_x",
          "idempotency-key": "k1",
        },
        body: JSON.stringify(body),
        credentials: "same-origin",
      },
    ]);
  });

  it("puts params into the path, escaped, and leaves out what is not given", async () => {
    const { client, calls } = createFake(new Response(null, { status: 204 }));
    expect(await client.call(deleteMesh, { params: { meshId: "a/b?" }, query: { force: "true" } })).toBeNull();
    expect(calls[0]?.path).toBe("/api/v1/meshes/a%2Fb%3F?force=true");
    expect(calls[0]?.headers).not.toHaveProperty("content-type");
  });
});

describe("what goes wrong", () => {
  it("is the problem that the control plane tells", async () => {
    const { client } = createFake(json(422, PROBLEM));
    const error = await failureOf(client.call(listMeshes, {}));
    expect(error).toMatchObject({ code: "validation_failed", status: 422, requestId: "req_1", message: PROBLEM.title });
    expect(toFieldErrors(error)).toEqual({ cidr: "must be private" });
    expect(isPassing(error)).toBe(false);
  });

  it("may be a proxy that speaks for itself", async () => {
    const { client } = createFake(new Response("<html>", { status: 502 }));
    expect(await failureOf(client.call(listMeshes, {}))).toMatchObject({ code: "not_understood", status: 502 });
  });

  it("may be that nobody answers, which passes", async () => {
    const { client } = createFake(new TypeError("Failed to fetch"));
    const error = await failureOf(client.call(listMeshes, {}));
    expect(error).toBeInstanceOf(ApiError);
    expect([error.code, isPassing(error)]).toEqual(["no_answer", true]);
  });

  it("is a reply that is not what the operation declares, with the request's id", async () => {
    const { client } = createFake(json(200, { items: [{ ...MESH, cidr: 7 }], nextCursor: null }));
    const error = await failureOf(client.call(listMeshes, {}));
    expect(error).toMatchObject({ code: "not_understood", requestId: "req_1" });
    expect(error.detail).toContain("items.0.cidr");
  });

  it("is the abort itself where the caller gave up", async () => {
    const abort = new DOMException("gone", "AbortError");
    const { client } = createFake(abort);
    expect(await failureOf(client.call(listMeshes, {}, { signal: AbortSignal.abort() }))).toBe(abort);
  });
});

describe("a list", () => {
  it("is read page after page", async () => {
    const page = (name: string, nextCursor: string | null) => json(200, { items: [{ ...MESH, name }], nextCursor });
    const { client, calls } = createFake(page("a", "c1"), page("b", null));
    expect((await client.list(listMeshes, {})).map(({ name }) => name)).toEqual(["a", "b"]);
    expect(calls.map(({ path }) => path)).toEqual(["/api/v1/meshes?limit=500", "/api/v1/meshes?limit=500&cursor=c1"]);
  });

  it("tells what has come while there is more to come", async () => {
    const page = (name: string, nextCursor: string | null) => json(200, { items: [{ ...MESH, name }], nextCursor });
    const { client } = createFake(page("a", "c1"), page("b", "c2"), page("c", null));
    const seen: string[][] = [];
    await client.list(listMeshes, {}, { onMore: (items) => seen.push(items.map(({ name }) => name)) });
    expect(seen).toEqual([["a"], ["a", "b"]]);
  });

  it("asks for more of a list that is shown as it comes once the page is idle", async () => {
    const pages = [json(200, { items: [MESH], nextCursor: "c1" }), json(200, { items: [MESH], nextCursor: null })];
    const asked: string[] = [];
    let rest = () => {};
    let isShown = () => {};
    const idle = new Promise<void>((resolve) => (rest = resolve));
    const shown = new Promise<void>((resolve) => (isShown = resolve));
    const client = createClient({
      readToken: () => "bkt_x",
      untilIdle: () => idle,
      async fetch(path) {
        asked.push(path);
        return pages[asked.length - 1] as Response;
      },
    });
    const whole = client.list(listMeshes, {}, { onMore: () => isShown() });
    await shown;
    expect(asked).toHaveLength(1);
    rest();
    expect(await whole).toHaveLength(2);
  });
});
