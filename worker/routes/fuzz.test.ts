// Hostile requests made of the API's own document, to every operation of it, from everybody: a success or a 4xx problem document that tells
// nothing of what is inside, never a crash, and no 5xx but that the machine is offline, which it is here.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Operation } from "#schema/api/operation";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { ALL_OPERATIONS, UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, OWNER_TOKEN } from "../testing/create-test-app.ts";
import { createIdentity, fetchAs } from "../testing/enrolled-machine.ts";
import { createEveryCaller } from "../testing/every-caller.ts";
import { expectNothingInside, expectSound } from "../testing/expect-sound.ts";
import {
  arbitraryOf,
  fuzzRuns,
  hostileBody,
  hostileText,
  hostileValue,
  type JsonSchema,
} from "../testing/hostile-values.ts";
import { createOneOfEach, type OneOfEach } from "../testing/one-of-each.ts";

const app = createTestApp();
const LONG = 600_000;

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}
interface DescribedOperation {
  readonly parameters: readonly { readonly name?: string; readonly in?: string; readonly schema?: JsonSchema }[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: JsonSchema } } };
}

let document: Document;
let everybody: Awaited<ReturnType<typeof createEveryCaller>>;
let one: OneOfEach;
let other: OneOfEach;

beforeAll(async () => {
  document = await (await app.fetch("/api/v1/openapi.json")).json();
  everybody = await createEveryCaller(app);
  one = await createOneOfEach(app);
  other = await createOneOfEach(app);
}, LONG);

/** What fetch itself refuses to send cannot arrive either. */
function trySend(path: string, init: RequestInit): Promise<Response> | null {
  try {
    return app.fetch(path, init);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function describedAs({ path, method }: Operation) {
  const described = document.paths[path]?.[method];
  if (described === undefined) throw new Error(`${method} ${path} is not in the document`);
  const ofPlace = (place: string) =>
    described.parameters.flatMap(({ name, in: where, schema }) =>
      where === place && name !== undefined ? [{ name, schema: schema ?? {} }] : [],
    );
  return {
    inPath: ofPlace("path"),
    inQuery: ofPlace("query"),
    body: described.requestBody?.content["application/json"].schema,
  };
}

function requestsTo(operation: Operation) {
  const { inPath, inQuery, body } = describedAs(operation);
  const texts = [...Object.values(one.ids), ...Object.values(other.ids), ...Object.values(UNKNOWN_IDS)];
  const resolve = (ref: string) => document.components.schemas[ref.split("/").at(-1) ?? ""] ?? {};
  const params = fc.record(
    Object.fromEntries(
      inPath.map(({ name }) => [
        name,
        fc.oneof(
          { weight: 8, arbitrary: fc.constant(one.ids[name] ?? "") },
          { weight: 2, arbitrary: fc.constantFrom(other.ids[name] ?? "", UNKNOWN_IDS[name] ?? "") },
          { weight: 2, arbitrary: hostileText.map(encode) },
        ),
      ]),
    ),
  );
  const known = inQuery.map(({ name, schema }) =>
    fc.tuple(fc.constant(name), arbitraryOf(schema, { texts, resolve, hostilePercent: 25 }).map(toText)),
  );
  const unknown = fc.tuple(fc.constantFrom("__proto__", "constructor", "limit", "cursor", "role", "x"), hostileText);
  // Names may come twice, as nothing keeps a client from that.
  const query = fc.array(fc.oneof(...known, unknown), { maxLength: 4 });
  const right =
    body === undefined
      ? fc.constant(null)
      : arbitraryOf(body, { texts, resolve }).map((value) => JSON.stringify(value));
  const text =
    operation.method === "get"
      ? fc.constant(null)
      : fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: hostileBody });
  return fc.record({ params, query, text, headers, caller: fc.nat() });
}

/** workerd takes others as well, and says so in the log each time. */
const asciiText = hostileText.map((text) => text.replace(/[^\x20-\x7e]/g, "?"));
const headers = fc.record(
  {
    "content-type": fc.oneof(
      { weight: 16, arbitrary: fc.constant("application/json") },
      {
        weight: 1,
        arbitrary: fc.constantFrom("text/plain", "x", "", "application/json; charset=utf-16", "multipart/form-data"),
      },
    ),
    "idempotency-key": asciiText,
    "content-length": fc.constantFrom("0", "-1", "99999999", "x"),
    "x-becket-machine-id": fc.constantFrom(...Object.values(UNKNOWN_IDS)),
    accept: asciiText,
    origin: fc.constantFrom("https://becket.test", "https://other.test", "null"),
  },
  { requiredKeys: ["content-type"] },
);

describe.each(ALL_OPERATIONS)("$id", (operation) => {
  it("withstands what is nearly right and what is not, from everybody", { timeout: LONG }, async () => {
    const { callers, secrets } = everybody;
    const isDeleting = operation.method === "delete";
    await fc.assert(
      fc.asyncProperty(requestsTo(operation), async (request) => {
        // Half of them from one who may call it, so that they get further than to the door.
        const owner = { headersFor: async () => ({ authorization: `Bearer ${OWNER_TOKEN}` }) };
        const caller = request.caller % 2 === 0 ? owner : callers[request.caller % callers.length];
        const path = `/api/v1${operation.path.replace(/\{(\w+)\}/g, (_, name: string) => request.params[name] ?? "")}`;
        const init: RequestInit = {
          method: operation.method.toUpperCase(),
          headers: { ...request.headers, ...(await caller?.headersFor(operation, path)) },
          ...(request.text === null ? {} : { body: request.text }),
        };
        const response = trySend(`${path}?${toSearch(request.query)}`, init);
        if (response !== null) await expectSound(await response, [...secrets, OWNER_TOKEN]);
      }),
      { numRuns: fuzzRuns(operation.id === "signOut" || isDeleting ? 12 : 25) },
    );
    if (isDeleting) one = await createOneOfEach(app);
    expect(({} as { role?: unknown }).role).toBe(undefined);
  });
});

describe("the machine API", () => {
  it("withstands hostile enrolments", { timeout: LONG }, async () => {
    const field = fc.oneof(hostileValue, fc.constantFrom("A".repeat(43), "A".repeat(86), `bkj_${"A".repeat(43)}`));
    const names = ["token", "identityKey", "signature", "hostname", "agent"];
    const value = fc.record(Object.fromEntries(names.map((name) => [name, field])), { requiredKeys: [] });
    const bodies = fc.oneof(
      value.map((object) => JSON.stringify(object)),
      hostileBody,
    );
    await fc.assert(
      fc.asyncProperty(bodies, headers, async (body, extra) => {
        const response = trySend(AGENT_PATHS.enrolments, { method: "POST", headers: { ...extra }, body });
        if (response !== null) await expectSound(await response, everybody.secrets);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  it("withstands hostile requests for an identity key, of a machine and in its name", { timeout: LONG }, async () => {
    const { publicKey } = one.machine.identity;
    const field = fc.oneof(hostileValue, fc.constantFrom("A".repeat(43), "A".repeat(86), publicKey));
    const fields = Object.fromEntries(
      ["formerKey", "identityKey", "signature", "formerSignature"].map((name) => [name, field]),
    );
    const succession = fc.record(fields, { requiredKeys: [] });
    const earlier = fc.oneof(fc.array(succession, { maxLength: 17 }), hostileValue);
    const bodies = fc.oneof(
      fc.record({ ...fields, earlier }, { requiredKeys: [] }).map((object) => JSON.stringify(object)),
      hostileBody,
    );
    const stranger = { ...one.machine, identity: await createIdentity() };
    const json = { method: "POST", headers: { "content-type": "application/json" } };
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        await expectSound(await fetchAs(app, one.machine, AGENT_PATHS.identityKey, { ...json, body }));
        const response = await fetchAs(app, stranger, AGENT_PATHS.identityKey, { ...json, body });
        expect(response.status).toBe(401);
        expectNothingInside(await response.text(), everybody.secrets);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  it("withstands hostile tokens", { timeout: LONG }, async () => {
    const part = fc.oneof(
      hostileText.map((text) => btoa(encode(text)).replace(/=/g, "")),
      hostileValue.map((value) => btoa(encode(JSON.stringify(value) ?? "")).replace(/=/g, "")),
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
        if (response === null) return;
        expect((await response).status).toBe(401);
        expectNothingInside(await (await response).text(), everybody.secrets);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  it("withstands hostile messages and queries of a machine that is let in", { timeout: LONG }, async () => {
    const paths = [
      AGENT_PATHS.machineSync,
      AGENT_PATHS.meshSync(one.ids.meshId ?? ""),
      AGENT_PATHS.meshSync(other.ids.meshId ?? ""),
    ];
    const query = fc.record(
      { wait: fc.constantFrom("0", "-1", "x", "26"), since: hostileText, epoch: hostileText },
      { requiredKeys: ["wait"] },
    );
    const message = fc.record({ type: fc.constantFrom("sync.hello", "machine.hello", "x"), wireVersion: hostileValue });
    const messages = fc.array(fc.oneof(hostileValue, message));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), query, messages, async (path, search, batch) => {
        const body = JSON.stringify({ messages: batch });
        await expectSound(await fetchAs(app, one.machine, path, { method: "POST", body }));
        await expectSound(await fetchAs(app, one.machine, `${path}?${toSearch(Object.entries(search))}`));
      }),
      { numRuns: fuzzRuns(40) },
    );
  });
});

const toText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

const toSearch = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");

/** What is no valid UTF-16 goes as it is. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return "%ED%A0%80";
  }
}
