// Who may not: each operation is asked for by everybody whom its role leaves out, with bodies and ids of all kinds. The answer is always the same
// refusal, whatever there is, so it tells nothing; and not one row anywhere has changed.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Operation } from "#schema/api/operation";
import { isAllowed } from "../auth/caller.ts";
import { ALL_OPERATIONS, UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, parseProblem } from "../testing/create-test-app.ts";
import { dumpState } from "../testing/dump-state.ts";
import { createEveryCaller, type KnownCaller } from "../testing/every-caller.ts";
import { fuzzRuns, hostileBody } from "../testing/hostile-values.ts";
import { createOneOfEach, type OneOfEach } from "../testing/one-of-each.ts";

const app = createTestApp();
const LONG = 600_000;
const GUARDED = ALL_OPERATIONS.filter(({ role }) => role !== "anyone");

let callers: readonly KnownCaller[];
let one: OneOfEach;

beforeAll(async () => {
  callers = (await createEveryCaller(app)).callers;
  one = await createOneOfEach(app);
}, LONG);

/** All rows that an operation on `one` could change. */
const dump = () =>
  dumpState({
    meshIds: [one.ids.meshId ?? ""],
    machineIds: [one.ids.machineId ?? "", one.ids.peerId ?? ""],
  });

async function send(operation: Operation, caller: KnownCaller, ids: Readonly<Record<string, string>>, body: BodyInit) {
  const path = `/api/v1${operation.path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "")}`;
  return app.fetch(`${path}?force=true`, {
    method: operation.method.toUpperCase(),
    headers: {
      "content-type": "application/json",
      "idempotency-key": "one",
      ...(operation.status === 101 ? { upgrade: "websocket" } : {}),
      ...(await caller.headersFor(operation, path)),
    },
    ...(operation.method === "get" ? {} : { body }),
  });
}

/** Bodies that would do something if they came from somebody else, and others. */
const bodies = fc.oneof(
  fc
    .constantFrom(
      { name: "taken-over", cidr: "10.77.0.0/16" },
      { name: "taken-over", role: "owner", isBlocked: false, isDefault: true, isGateway: true },
      { machineId: "x", machineIds: [], prefixes: ["0.0.0.0/0"], rules: [] },
      {},
    )
    .map((value) => JSON.stringify(value)),
  hostileBody,
);

describe.each(GUARDED)("$id", (operation) => {
  it("refuses everybody whose role is too low, the same for what is there and what is not, and keeps every row", {
    timeout: LONG,
  }, async () => {
    const refused = callers.filter(({ role }) => role === null || !isAllowed(role, operation.role));
    const before = await dump();
    for (const caller of refused) {
      const expected = caller.role === null ? "unauthenticated" : "forbidden";
      const property = fc.asyncProperty(bodies, fc.constantFrom(one.ids, UNKNOWN_IDS), async (body, ids) => {
        const { code, detail } = await parseProblem(await send(operation, caller, ids, body));
        expect(code, caller.name).toBe(expected);
        expect(detail).toBe(caller.role === null ? undefined : `this needs the role ${operation.role}`);
      });
      await fc.assert(property, { numRuns: fuzzRuns(2) });
    }
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(await dump()).toBe(before);
  });
});

it("a row that changes is seen", async () => {
  const before = await dump();
  const owner = callers.find(({ name }) => name === "owner's API token");
  const rename = ALL_OPERATIONS.find(({ id }) => id === "updateMesh");
  if (owner === undefined || rename === undefined) throw new Error("no owner, or no such operation");
  expect((await send(rename, owner, one.ids, JSON.stringify({ name: "renamed" }))).status).toBe(200);
  expect(await dump()).not.toBe(before);
});
