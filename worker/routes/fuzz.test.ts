// Hostile input on every operation of the API and on the machine API: a 4xx problem document or a success, never a crash, and no 5xx but that
// the machine is offline, which it is here.
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { createMesh } from "#schema/api/meshes";
import { type Operation, Problem } from "#schema/api/operation";
import { createPolicySet } from "#schema/api/policy-sets";
import { createRoute } from "#schema/api/routes";
import { createVip } from "#schema/api/vips";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { ALL_OPERATIONS, UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, OWNER_TOKEN, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine, fetchAs } from "../testing/enrolled-machine.ts";

const app = createTestApp();
const RUNS = 40;
let ids: Record<string, string> = UNKNOWN_IDS;
let machine: Awaited<ReturnType<typeof enrolMachine>>;

// Anew for each test: some of them delete what they are given.
beforeEach(async () => {
  const body = { name: uniqueName("mesh"), cidr: "10.1.0.0/16" };
  const meshId = (await app.call(createMesh, { body })).reply.id;
  machine = await enrolMachine(app, { meshIds: [meshId] });
  const { machineId } = machine;
  const named = { name: "some", machineIds: [machineId] };
  const route = await app.call(createRoute, { params: { meshId }, body: { ...named, prefixes: ["192.168.7.0/24"] } });
  const vip = await app.call(createVip, { params: { meshId }, body: { ...named, address: "10.1.0.100" } });
  const policySet = await app.call(createPolicySet, { body: { name: uniqueName("set") } });
  const made = { routeId: route.reply.id, vipId: vip.reply.id, policySetId: policySet.reply.id };
  ids = { ...UNKNOWN_IDS, meshId, machineId, ...made };
});

async function expectSound(response: Response): Promise<void> {
  if (response.status < 400) return;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expectNoFault(Problem.strict().parse(await response.json()));
}

const expectNoFault = ({ status, code }: Problem) =>
  expect(status < 500 || code === "machine_offline" || code === "machine_silent", `${status} ${code}`).toBe(true);

/** What fetch itself refuses to send cannot arrive either. */
function trySend(path: string, init: RequestInit): Promise<Response> | null {
  try {
    return app.fetch(path, init);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ maxLength: 300 }),
  fc.constantFrom(
    "",
    "..",
    "%00",
    "%",
    "%E0%A4%A",
    "\u0000",
    "null",
    "__proto__",
    "constructor",
    "1e999",
    "-0",
    "'; DROP TABLE x",
  ),
);
const json = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.object({ maxDepth: 3 }));

/** Bodies that look right: the operation's own fields, with values that are right, nearly right or wild. */
const body = (operation: Operation) => {
  const value = fc.oneof(
    json,
    nasty,
    fc.constantFrom(
      "10.9.0.0/24",
      "10.1.0.0/16",
      "8.8.8.0/24",
      "10.1.0.7",
      "192.168.7.0/24",
      "owner",
      "viewer",
      "a-name",
    ),
    fc.constantFrom(
      [{ action: "accept", match: { prefixes: ["10.0.0.0/8"], maxLength: 24 }, prependCount: 2 }],
      ["65000:1"],
    ),
    fc.constantFrom(4_200_000_000, -1, 0.5, 60, Number.MAX_SAFE_INTEGER, null, true),
    fc.constant(Object.values(ids)[0]),
    fc.array(fc.constantFrom(...Object.values(ids)), { maxLength: 40 }),
  );
  const fields = Object.keys(operation.body?.shape ?? {});
  return fc.record(Object.fromEntries(fields.map((field) => [field, value])), { requiredKeys: [] });
};

const rawBody = (operation: Operation) =>
  fc.oneof(
    body(operation).map((value) => JSON.stringify(value)),
    json.map((value) => JSON.stringify(value)),
    nasty,
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom("[".repeat(60_000), `{"a":${"1".repeat(70_000)}}`, '{"__proto__":{"role":"owner"}}'),
  );

const token = fc.oneof(
  { weight: 4, arbitrary: fc.constant(OWNER_TOKEN) },
  { weight: 1, arbitrary: fc.constantFrom(null, "garbage", "bkt_", `bkt_${"x".repeat(43)}`) },
);
const headers = fc.record(
  {
    "content-type": fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom("application/json", "application/json; charset=utf-8") },
      { weight: 1, arbitrary: fc.constantFrom("text/plain", "x", "") },
    ),
    "idempotency-key": nasty,
    "content-length": fc.constantFrom("0", "-1", "99999999", "x"),
    accept: nasty,
  },
  { requiredKeys: [] },
);

describe.each(ALL_OPERATIONS)("$id", (operation) => {
  it("withstands hostile parameters, queries, headers and bodies", { timeout: 30_000 }, async () => {
    const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
    const params = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.oneof(nasty.map(encode), fc.constant(ids[name] ?? ""))])),
    );
    const queryNames = ["limit", "cursor", "force", "action", "meshId", "subjectId", "__proto__"];
    const query = fc.dictionary(fc.constantFrom(...queryNames), nasty, { maxKeys: 4 });
    const arbitrary = fc.record({ params, query, headers, token, body: rawBody(operation) });
    await fc.assert(
      fc.asyncProperty(arbitrary, async (request) => {
        const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => request.params[name] ?? "");
        const search = new URLSearchParams(Object.entries(request.query)).toString();
        const init: RequestInit = {
          method: operation.method.toUpperCase(),
          headers: {
            "content-type": "application/json",
            ...request.headers,
            ...(request.token === null ? {} : { authorization: `Bearer ${request.token}` }),
          },
          ...(operation.method === "get" ? {} : { body: request.body }),
        };
        const response = trySend(`/api/v1${path}?${search}`, init);
        if (response !== null) await expectSound(await response);
      }),
      { numRuns: RUNS },
    );
  });

  it("withstands bodies that are nearly right, from every role", { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(body(operation), fc.constantFrom("viewer", "admin", "owner"), async (value, role) => {
        const request = operation.method === "get" ? {} : { body: value };
        // `call` itself checks every reply and every problem by its schema.
        const answer = await app.call(operation, { params: ids, ...request, as: role as "viewer" });
        if (answer.status >= 400) expectNoFault(answer.problem);
      }),
      { numRuns: operation.method === "delete" ? 5 : RUNS },
    );
  });
});

describe("the machine API", () => {
  it("withstands hostile enrolments", { timeout: 30_000 }, async () => {
    const field = fc.oneof(json, nasty, fc.constantFrom("A".repeat(43), "A".repeat(86), `bkj_${"A".repeat(43)}`));
    const names = ["token", "identityKey", "signature", "hostname", "agent"];
    const value = fc.record(Object.fromEntries(names.map((name) => [name, field])), { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          value.map((v) => JSON.stringify(v)),
          nasty,
        ),
        headers,
        async (text, extra) => {
          const init = { method: "POST", headers: { "content-type": "application/json", ...extra }, body: text };
          const response = trySend(AGENT_PATHS.enrolments, init);
          if (response !== null) await expectSound(await response);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("withstands hostile tokens", { timeout: 30_000 }, async () => {
    const part = fc.oneof(
      nasty.map((text) => btoa(encodeURIComponent(text)).replace(/=/g, "")),
      json.map((value) => btoa(encodeURIComponent(JSON.stringify(value))).replace(/=/g, "")),
      fc.constantFrom(
        btoa('{"alg":"EdDSA"}'),
        btoa('{"alg":"none"}'),
        btoa('{"alg":"EdDSA","crit":["x"],"b64":false}'),
        "",
      ),
    );
    await fc.assert(
      fc.asyncProperty(part, part, part, async (header, claims, signature) => {
        const authorization = `Bearer ${header}.${claims}.${signature}`;
        const response = trySend(AGENT_PATHS.machineSync, { headers: { authorization } });
        if (response !== null) expect((await response).status).toBe(401);
      }),
      { numRuns: 200 },
    );
  });

  it("withstands hostile messages and queries of a machine that is let in", { timeout: 30_000 }, async () => {
    const paths = [AGENT_PATHS.machineSync, AGENT_PATHS.meshSync(ids.meshId ?? "")];
    const query = fc.record(
      { wait: fc.constantFrom("0", "-1", "x", "26"), since: nasty, epoch: nasty },
      { requiredKeys: ["wait"] },
    );
    const messages = fc.array(
      fc.oneof(json, fc.record({ type: fc.constantFrom("sync.hello", "machine.hello", "x"), wireVersion: json })),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), query, messages, async (path, search, batch) => {
        const body = JSON.stringify({ messages: batch });
        await expectSound(await fetchAs(app, machine, path, { method: "POST", body }));
        await expectSound(await fetchAs(app, machine, `${path}?${new URLSearchParams(search)}`));
      }),
      { numRuns: 60 },
    );
  });
});

/** A path segment; what is no valid UTF-16 goes as it is. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}
