import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken } from "#schema/api/join-tokens";
import { deleteMachine, getMachine, rotateMachineKeys } from "#schema/api/machines";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { type IdentityKeyRequest, toIdentityKeyText } from "#schema/wire/identity-key";
import { createIdentityKeys } from "../auth/identity-keys.ts";
import { createTestApp, parseProblem, type TestApp } from "../testing/create-test-app.ts";
import {
  createIdentity,
  type EnrolledMachine,
  enrolMachine,
  fetchAs,
  type Identity,
  postEnrolment,
  toEnrolmentRequest,
  toIdentityKeyRequest,
} from "../testing/enrolled-machine.ts";
import { createMachineId } from "../testing/fake-agent.ts";
import { IDENTITY_KEY_REQUESTS, replaceIdentityKey } from "./replace-identity-key.ts";

const app = createTestApp();
const PATH = AGENT_PATHS.identityKey;
const withKey = (machine: EnrolledMachine, identity: Identity): EnrolledMachine => ({ ...machine, identity });
const poll = (machine: EnrolledMachine, through: TestApp = app) =>
  fetchAs(through, machine, `${AGENT_PATHS.machineSync}?wait=0`);
const codeOf = async (response: Promise<Response>) => (await parseProblem(await response)).code;
const post = (as: EnrolledMachine, request: IdentityKeyRequest) =>
  fetchAs(app, as, PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
const eventsOf = async ({ machineId }: EnrolledMachine) =>
  (await app.call(listAuditEvents, { query: { subjectId: machineId, action: "identity_key.replaced" } })).reply.items;
const knownTo = ({ machineId }: EnrolledMachine) => app.services.objects.machine(machineId).readIdentityKey();

/** A machine whose key was replaced. */
async function replaced() {
  const before = await enrolMachine(app);
  const next = await createIdentity();
  const request = await toIdentityKeyRequest(before, next);
  const response = await post(before, request);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ identityKey: next.publicKey });
  return { before, after: withKey(before, next), request };
}

/** A database that is asked so often, and then says that it was. */
function refuseAfter(questions: number): typeof app.services.db {
  let left = questions;
  return new Proxy(app.services.db, {
    get(target, name, receiver) {
      if (name === "batch" && left-- <= 0) throw new Error("D1 is asked");
      return Reflect.get(target, name, receiver);
    },
  });
}

/** As if the machine had got its key so much earlier. */
const age = ({ machineId }: EnrolledMachine, ms: number) =>
  env.DB.prepare("UPDATE machines SET identity_key_since = identity_key_since - ? WHERE id = ?")
    .bind(ms, machineId)
    .run();

describe("a machine that replaces its identity key", () => {
  test("is known by the new one at once, and by the former one for two minutes", async () => {
    const { before, after } = await replaced();
    // Every isolate of the Worker has a memory of its own.
    const another = createTestApp();
    for (const through of [app, another]) {
      expect((await poll(after, through)).status).toBe(200);
      expect((await poll(before, through)).status).toBe(200);
    }
    expect(await knownTo(after)).toBe(after.identity.publicKey);
    await age(after, 120_000);
    const later = createTestApp();
    expect(await codeOf(poll(before, later))).toBe("signature_invalid");
    expect((await poll(after, later)).status).toBe(200);
  });

  test("is known by either key in an isolate that has not heard of it, and a memory of the former one ends in time", async () => {
    const before = await enrolMachine(app);
    let nowMs = Date.now();
    let questions = 0;
    const { objects, log } = app.services;
    const db = new Proxy(app.services.db, {
      get(target, name, receiver) {
        if (name === "select") questions += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    const identityKeys = createIdentityKeys({ db, objects, log, now: () => nowMs });
    const stale = createTestApp({ identityKeys });
    expect((await poll(before, stale)).status).toBe(200);
    const next = await createIdentity();
    const after = withKey(before, next);
    await post(before, await toIdentityKeyRequest(before, next));
    expect((await poll(before, stale)).status).toBe(200);
    expect(questions).toBe(1);
    // A moment after it looked, it takes nobody's word that there is something new.
    expect(await codeOf(poll(after, stale))).toBe("signature_invalid");
    nowMs += 1_000;
    expect((await poll(after, stale)).status).toBe(200);
    expect((await poll(before, stale)).status).toBe(200);
    expect(questions).toBe(2);
    for (let number = 0; number < 20; number++) await poll(withKey(before, await createIdentity()), stale);
    expect(questions).toBe(2);

    nowMs = Date.now() + 120_000;
    expect(await identityKeys.read(before.machineId)).toMatchObject({ status: "known", former: null });
  });

  test("is answered the same again, with a token of either key, and it happens once", async () => {
    const { before, after, request } = await replaced();
    for (const machine of [before, after]) expect((await post(machine, request)).status).toBe(200);
    const events = await eventsOf(after);
    expect(events).toMatchObject([
      {
        actor: { kind: "machine", id: after.machineId },
        details: { publicKey: after.identity.publicKey, formerPublicKey: before.identity.publicKey },
      },
    ]);
  });

  test("finishes what was interrupted between D1 and its object", async () => {
    const before = await enrolMachine(app);
    const next = await createIdentity();
    await env.DB.prepare(
      "UPDATE machines SET former_identity_key = identity_key, identity_key = ?, identity_key_since = ? WHERE id = ?",
    )
      .bind(next.publicKey, Date.now() + 1, before.machineId)
      .run();
    expect(await knownTo(before)).toBe(before.identity.publicKey);
    expect((await post(before, await toIdentityKeyRequest(before, next))).status).toBe(200);
    expect(await knownTo(before)).toBe(next.publicKey);
  });

  test("asks at once from two places: one key wins, everywhere", async () => {
    const before = await enrolMachine(app);
    const keys = [await createIdentity(), await createIdentity()];
    const requests = await Promise.all(keys.map((key) => toIdentityKeyRequest(before, key)));
    const statuses = (await Promise.all(requests.map((request) => post(before, request)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    const winner = keys[statuses.indexOf(200)]?.publicKey;
    expect(await knownTo(before)).toBe(winner);
    expect(await eventsOf(before)).toMatchObject([{ details: { publicKey: winner } }]);
  });

  test("is looked up a few times, then refused for a while, and others are not", async () => {
    const { request, after } = await replaced();
    let nowMs = Date.now();
    const limited = createTestApp({ now: () => nowMs, db: refuseAfter(IDENTITY_KEY_REQUESTS.burst) });
    const asked = { machineId: after.machineId, formerKeys: [], request, requestId: "req_1" };
    const ask = () => replaceIdentityKey(limited.services, asked);
    for (let number = 0; number < IDENTITY_KEY_REQUESTS.burst; number++) expect((await ask()).ok).toBe(true);
    expect(await ask()).toMatchObject({ ok: false, error: { code: "rate_limited", retryAfterSeconds: 10 } });
    await expect(replaceIdentityKey(limited.services, { ...asked, machineId: createMachineId() })).rejects.toThrow(
      "D1 is asked",
    );
    nowMs += 10_000;
    await expect(ask()).rejects.toThrow("D1 is asked");
  });

  test("enrols with it as the same machine, with the same token and with another", async () => {
    const { after } = await replaced();
    for (let number = 0; number < 2; number++) {
      const { token } = (await app.call(createJoinToken, { body: {} })).reply;
      const enrolled = await postEnrolment(app, await toEnrolmentRequest(after.identity, { token }));
      expect(await enrolled.json()).toMatchObject({ machineId: after.machineId });
    }
  });

  test("can do it again two minutes later, and the first key is over then", async () => {
    const { before, after } = await replaced();
    const third = await createIdentity();
    const request = await toIdentityKeyRequest(after, third);
    expect(await codeOf(post(after, request))).toBe("rate_limited");
    await age(after, 120_000);
    expect((await post(after, request)).status).toBe(200);
    expect(await codeOf(poll(before))).toBe("signature_invalid");
    for (const identity of [after.identity, third]) expect((await poll(withKey(after, identity))).status).toBe(200);
    expect(await knownTo(after)).toBe(third.publicKey);
  });
});

describe("the control plane keeps the key that it knows when", () => {
  async function expectRefused(machine: EnrolledMachine, request: IdentityKeyRequest, code: string): Promise<void> {
    const before = await knownTo(machine);
    expect(await codeOf(post(machine, request))).toBe(code);
    expect(await knownTo(machine)).toBe(before);
  }

  test("another than the new key proves it, or another than the present one means it", async () => {
    const machine = await enrolMachine(app);
    const [next, other] = [await createIdentity(), await createIdentity()];
    for (const signers of [{ next: other }, { former: other }, { former: next }, { next: machine.identity }]) {
      await expectRefused(machine, await toIdentityKeyRequest(machine, next, signers), "signature_invalid");
    }
    expect(await eventsOf(machine)).toEqual([]);
  });

  test("the proof is another machine's, or of another change", async () => {
    const [machine, other] = [await enrolMachine(app), await enrolMachine(app)];
    const [next, wanted] = [await createIdentity(), await createIdentity()];
    const ofOther = await toIdentityKeyRequest(withKey(other, machine.identity), next);
    await expectRefused(machine, ofOther, "signature_invalid");
    const elsewhere = await toIdentityKeyRequest(machine, wanted);
    await expectRefused(machine, { ...elsewhere, identityKey: next.publicKey }, "signature_invalid");
    const text = toIdentityKeyText({ machineId: "m", formerKey: "f", identityKey: "i" });
    expect(text.startsWith("becket identity key v1\n")).toBe(true);
  });

  test("the former key asks, though it is still taken for requests", async () => {
    const { before, after } = await replaced();
    await age(after, 119_000);
    await expectRefused(before, await toIdentityKeyRequest(before, await createIdentity()), "signature_invalid");
  });

  test("the new one is another machine's, or was a removed one's", async () => {
    const [machine, other, removed] = [await enrolMachine(app), await enrolMachine(app), await enrolMachine(app)];
    await app.call(deleteMachine, { params: { machineId: removed.machineId } });
    for (const { identity } of [other, removed]) {
      await expectRefused(machine, await toIdentityKeyRequest(machine, identity), "key_taken");
    }
    expect((await poll(other)).status).toBe(200);
  });

  test("nobody signs the request, the machine is gone, or the body is none", async () => {
    const machine = await enrolMachine(app);
    const request = await toIdentityKeyRequest(machine, await createIdentity());
    expect(await codeOf(app.fetch(PATH, { method: "POST", body: JSON.stringify(request) }))).toBe("unauthenticated");
    expect(await codeOf(fetchAs(app, machine, PATH, { method: "PUT" }))).toBe("method_not_allowed");
    await expectRefused(machine, { ...request, signature: "short" }, "validation_failed");
    await app.call(deleteMachine, { params: { machineId: machine.machineId } });
    expect(await codeOf(post(machine, request))).toBe("machine_removed");
  });
});

test("who is asked for new keys is told which identity key is due, until it has replaced it", async () => {
  const before = await enrolMachine(app);
  const params = { machineId: before.machineId };
  const told = async (machine: EnrolledMachine) => {
    const { messages } = await (await poll(machine)).json<{
      messages: { revision: number; dueIdentityKey: string }[];
    }>();
    return messages[0];
  };
  expect(await told(before)).toMatchObject({ dueIdentityKey: null });
  await app.call(rotateMachineKeys, { params, body: {} });
  expect(await told(before)).toMatchObject({ dueIdentityKey: before.identity.publicKey });
  const next = await createIdentity();
  await post(before, await toIdentityKeyRequest(before, next));
  expect(await told(withKey(before, next))).toMatchObject({ dueIdentityKey: null });
  const { identityKeySince, createdAt } = (await app.call(getMachine, { params })).reply;
  expect(Date.parse(identityKeySince)).toBeGreaterThan(Date.parse(createdAt));
});
