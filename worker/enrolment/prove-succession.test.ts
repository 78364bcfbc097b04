// A control plane that was restored from a backup knows a machine by a former identity key; here, one that the machine enrolled with and replaced by others
// without saying so.
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { deleteMachine } from "#schema/api/machines";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { type IdentityKeyRequest, type IdentitySuccession, MAX_SUCCESSIONS } from "#schema/wire/identity-key";
import { createFailureLimit } from "../auth/failure-limit.ts";
import { createIdentityKeys } from "../auth/identity-keys.ts";
import { createTestApp, parseProblem, type TestApp } from "../testing/create-test-app.ts";
import {
  createIdentity,
  type EnrolledMachine,
  enrolMachine,
  fetchAs,
  type Identity,
  toIdentitySuccession,
} from "../testing/enrolled-machine.ts";
import { createMachineId } from "../testing/fake-agent.ts";
import { replaceIdentityKey } from "./replace-identity-key.ts";

const app = createTestApp();
const PATH = AGENT_PATHS.identityKey;
const codeOf = async (response: Promise<Response>) => (await parseProblem(await response)).code;
const poll = (machine: Known, identity: Identity, through: TestApp = app) =>
  fetchAs(through, { ...machine, identity }, `${AGENT_PATHS.machineSync}?wait=0`);
const knownTo = ({ machineId }: Known) => app.services.objects.machine(machineId).readIdentityKey();
const eventsOf = async ({ machineId }: Known) =>
  (await app.call(listAuditEvents, { query: { subjectId: machineId, action: "identity_key.replaced" } })).reply.items;

type Known = Pick<EnrolledMachine, "machineId" | "identity">;
type Options = { readonly through?: TestApp } & NonNullable<Parameters<typeof fetchAs>[3]>;

const post = (machine: Known, signer: Identity, body: unknown, { through = app, ...init }: Options = {}) =>
  fetchAs(through, { ...machine, identity: signer }, PATH, {
    ...init,
    method: "POST",
    headers: { "content-type": "application/json", ...init.headers },
    body: JSON.stringify(body),
  });

/** What each of the keys and the next one sign, from the machine's own key on. */
async function toChain({ machineId, identity }: Known, keys: readonly Identity[]): Promise<IdentitySuccession[]> {
  const all = [identity, ...keys];
  const pairs = keys.map((next, index) => toIdentitySuccession({ machineId, identity: all[index] ?? next }, next));
  return Promise.all(pairs);
}

function toRequest(chain: readonly IdentitySuccession[]): IdentityKeyRequest {
  const last = chain.at(-1);
  if (last === undefined) throw new Error("a proof has a succession");
  const { formerKey: _, ...rest } = last;
  return { ...rest, earlier: chain.slice(0, -1) };
}

/** A machine that is known by the first of its keys and has the last. */
async function forgotten(replacements: number) {
  const machine = await enrolMachine(app);
  const keys = await Promise.all(Array.from({ length: replacements }, createIdentity));
  const chain = await toChain(machine, keys);
  const last = keys.at(-1) ?? machine.identity;
  return { machine, keys, chain, last, prove: (options?: Options) => post(machine, last, toRequest(chain), options) };
}

const setKnown = ({ machineId }: Known, key: string, former: string | null, sinceMs: number) =>
  env.DB.prepare("UPDATE machines SET identity_key = ?, former_identity_key = ?, identity_key_since = ? WHERE id = ?")
    .bind(key, former, sinceMs, machineId)
    .run();

describe("a machine that is known by a former key", () => {
  test.each([1, 3, MAX_SUCCESSIONS])(
    "is known by its own again after %i replacements, at once",
    async (replacements) => {
      const { machine, last, prove } = await forgotten(replacements);
      expect(await codeOf(poll(machine, last))).toBe("signature_invalid");
      const proved = await prove();
      expect([proved.status, await proved.json()]).toEqual([200, { identityKey: last.publicKey }]);
      expect((await poll(machine, last)).status).toBe(200);
      expect(await knownTo(machine)).toBe(last.publicKey);
      // Nobody has that one any more but somebody who should not.
      for (const through of [app, createTestApp()]) {
        expect(await codeOf(poll(machine, machine.identity, through))).toBe("signature_invalid");
      }
      expect(await eventsOf(machine)).toMatchObject([
        {
          actor: { kind: "machine", id: machine.machineId },
          details: {
            ...{ publicKey: last.publicKey, formerPublicKey: machine.identity.publicKey },
            ...{ provedBy: "succession", replacements },
          },
        },
      ]);
    },
  );

  test("is so with a proof that begins before the key that is known", async () => {
    const { machine, keys, prove } = await forgotten(3);
    await setKnown(machine, keys[0]?.publicKey ?? "", machine.identity.publicKey, 0);
    expect((await prove()).status).toBe(200);
    expect(await eventsOf(machine)).toMatchObject([
      { details: { formerPublicKey: keys[0]?.publicKey, replacements: 2 } },
    ]);
  });

  test("may say so again, and several times at once: it happens once", async () => {
    const { machine, last, prove } = await forgotten(2);
    const statuses = (await Promise.all([prove(), prove(), prove()])).map(({ status }) => status);
    expect(statuses).toContain(200);
    // Whoever was slower by a hair is told to come again.
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
    expect((await prove()).status).toBe(200);
    expect(await knownTo(machine)).toBe(last.publicKey);
    expect(await eventsOf(machine)).toHaveLength(1);
  });

  test("can do it after each restore", async () => {
    const { machine, keys, last, prove } = await forgotten(3);
    for (const known of [machine.identity, keys[1] ?? last, machine.identity]) {
      await setKnown(machine, known.publicKey, null, 0);
      app.services.identityKeys.forget(machine.machineId);
      expect((await prove()).status).toBe(200);
      expect((await poll(machine, last)).status).toBe(200);
    }
  });

  test("finishes what was interrupted between D1 and its object", async () => {
    const { machine, last, prove } = await forgotten(2);
    await setKnown(machine, last.publicKey, null, Date.now() + 1);
    expect((await prove()).status).toBe(200);
    expect(await knownTo(machine)).toBe(last.publicKey);
  });

  test("is judged by the key that D1 has in the end", async () => {
    const { machine, keys, chain, last } = await forgotten(3);
    const asked = { ...{ machineId: machine.machineId, requestId: "req_1" }, request: toRequest(chain) };
    const formerKeys = chain.map(({ formerKey }) => formerKey);
    const stranger = await createIdentity();
    await setKnown(machine, stranger.publicKey, null, 0);
    const refused = await replaceIdentityKey(app.services, { ...asked, formerKeys });
    expect(refused).toMatchObject({ ok: false, error: { code: "signature_invalid" } });
    await setKnown(machine, keys[1]?.publicKey ?? "", null, 0);
    expect((await replaceIdentityKey(app.services, { ...asked, formerKeys })).ok).toBe(true);
    expect(await knownTo(machine)).toBe(last.publicKey);
  });

  test("waits, where the key that is known is younger than two minutes", async () => {
    const { machine, prove } = await forgotten(1);
    await setKnown(machine, machine.identity.publicKey, null, Date.now());
    const response = await prove();
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await codeOf(Promise.resolve(response))).toBe("rate_limited");
  });
});

describe("the control plane keeps the key that it knows when", () => {
  type Forgotten = Awaited<ReturnType<typeof forgotten>>;
  const without = <T>(list: readonly T[], index: number) => list.filter((_, at) => at !== index);
  const replaced = <T>(list: readonly T[], index: number, value: T) =>
    list.map((one, at) => (at === index ? value : one));
  /** The second of the replacements, with something wrong in it. */
  const second = (
    { machine, keys }: Forgotten,
    signers: Parameters<typeof toIdentitySuccession>[2],
    machineId = machine.machineId,
  ) => toIdentitySuccession({ machineId, identity: keys[0] ?? machine.identity }, keys[1] ?? machine.identity, signers);

  test.each<[string, (one: Forgotten) => Promise<readonly IdentitySuccession[]> | readonly IdentitySuccession[]]>([
    ["the proof begins after that key", ({ chain }) => chain.slice(1)],
    ["a replacement is missing", ({ chain }) => without(chain, 1)],
    ["they are in another order", ({ chain }) => [1, 0, 2, 3].flatMap((at) => chain[at] ?? [])],
    ["one was another machine's", async (one) => replaced(one.chain, 1, await second(one, {}, createMachineId()))],
    [
      "a former key did not mean its successor",
      async (one) => replaced(one.chain, 1, await second(one, { former: await createIdentity() })),
    ],
    [
      "a new key did not prove itself",
      async (one) => replaced(one.chain, 1, await second(one, { next: one.keys[0] ?? one.last })),
    ],
    [
      "the signatures are the other way around",
      async (one) =>
        replaced(one.chain, 1, await second(one, { former: one.keys[1] ?? one.last, next: one.keys[0] ?? one.last })),
    ],
    [
      "it is another machine's altogether",
      async ({ keys }) => toChain({ machineId: createMachineId(), identity: await createIdentity() }, keys),
    ],
  ])("%s", async (_, build) => {
    const one = await forgotten(4);
    await expectRefused(one.machine, one.last, toRequest(await build(one)), "signature_invalid");
  });

  async function expectRefused(machine: Known, signer: Identity, body: unknown, code: string, options?: Options) {
    expect(await codeOf(post(machine, signer, body, options))).toBe(code);
    expect(await knownTo(machine)).toBe(machine.identity.publicKey);
    expect(await eventsOf(machine)).toEqual([]);
  }

  test("somebody puts keys of his own behind the machine's", async () => {
    const { machine, chain } = await forgotten(1);
    const thief = { ...machine, identity: await createIdentity() };
    const keys = [await createIdentity(), await createIdentity()] as const;
    await expectRefused(machine, keys[1], toRequest([...chain, ...(await toChain(thief, keys))]), "signature_invalid");
  });

  test("another key signs the token than the last one", async () => {
    const { machine, keys, chain } = await forgotten(3);
    for (const signer of [keys[0], keys[1], await createIdentity()]) {
      await expectRefused(machine, signer ?? machine.identity, toRequest(chain), "signature_invalid");
    }
  });

  test("the token is for another request, or was", async () => {
    const { machine, last, chain } = await forgotten(2);
    const past = Math.floor(Date.now() / 1_000) - 100;
    const request = toRequest(chain);
    await expectRefused(machine, last, request, "machine_token_mismatched", {
      claims: { htu: "/agent/v1/machine/sync" },
    });
    await expectRefused(machine, last, request, "machine_token_expired", { claims: { iat: past, exp: past + 60 } });
  });

  test("the proof begins at a key that is replaced, and still taken for requests", async () => {
    const [machine, present] = [await enrolMachine(app), await createIdentity()];
    await setKnown(machine, present.publicKey, machine.identity.publicKey, Date.now() - 60_000);
    const thief = await createIdentity();
    const stolen = toRequest(await toChain(machine, [thief]));
    for (const signer of [thief, machine.identity]) {
      expect(await codeOf(post(machine, signer, stolen))).toBe("signature_invalid");
    }
    expect((await poll(machine, present)).status).toBe(200);
  });

  test("there are more replacements than are taken, or what comes is none: no more is said than without a proof", async () => {
    const { machine, last, chain } = await forgotten(MAX_SUCCESSIONS + 1);
    await expectRefused(machine, last, toRequest(chain), "signature_invalid");
    for (const body of [null, {}, { ...toRequest(chain.slice(0, 1)), earlier: "x" }]) {
      await expectRefused(machine, last, body, "signature_invalid");
    }
  });

  test("the last key is another machine's, or was a removed one's", async () => {
    const [machine, other, removed] = [await enrolMachine(app), await enrolMachine(app), await enrolMachine(app)];
    await app.call(deleteMachine, { params: { machineId: removed.machineId } });
    for (const { identity } of [other, removed]) {
      await expectRefused(machine, identity, toRequest(await toChain(machine, [identity])), "key_taken");
    }
    expect((await poll(other, other.identity)).status).toBe(200);
  });

  test("the machine was removed, or never was", async () => {
    const { machine, last, chain, prove } = await forgotten(1);
    expect(await codeOf(post({ ...machine, machineId: createMachineId() }, last, toRequest(chain)))).toBe(
      "machine_not_found",
    );
    await app.call(deleteMachine, { params: { machineId: machine.machineId } });
    expect(await codeOf(prove())).toBe("machine_removed");
  });
});

describe("a flood of proofs by somebody without the machine's keys", () => {
  /** By one who has everything that is public, and puts a key of his own at the end. */
  async function forge({ machine, chain, last }: Awaited<ReturnType<typeof forgotten>>) {
    const thief = await createIdentity();
    const forged = await toIdentitySuccession({ ...machine, identity: last }, thief, { former: thief });
    return (options: Options) => post(machine, thief, toRequest([...chain, forged]), options);
  }

  test("asks D1 once, and leaves the machine its own requests", async () => {
    const one = await forgotten(2);
    let questions = 0;
    const db = new Proxy(app.services.db, {
      get(target, name, receiver) {
        if (name === "select" || name === "batch") questions += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    const { objects, log } = app.services;
    const nowMs = Date.now();
    const now = () => nowMs;
    const flooded = createTestApp({ db, now, identityKeys: createIdentityKeys({ db, objects, log, now }) });
    const attack = await forge(one);
    for (let number = 0; number < 30; number++)
      expect(await codeOf(attack({ through: flooded }))).toBe("signature_invalid");
    expect(questions).toBe(1);
    expect((await one.prove({ through: flooded })).status).toBe(200);
  });

  test("is limited by its address", async () => {
    const one = await forgotten(2);
    const failureLimit = createFailureLimit("cf-connecting-ip", () => 0, { burst: 5, perSecond: 1 });
    const flooded = createTestApp({ failureLimit });
    const from = (address: string) => ({ through: flooded, headers: { "cf-connecting-ip": address } });
    const attack = await forge(one);
    for (let number = 0; number < 5; number++) await attack(from("192.0.2.7"));
    expect(await codeOf(attack(from("192.0.2.7")))).toBe("rate_limited");
    expect((await one.prove(from("198.51.100.7"))).status).toBe(200);
  });
});
