import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { toRelayName } from "#schema/wire/relay";
import { createMachineId, createMeshId } from "../testing/fake-agent.ts";
import { createTicketVerifier } from "./verify-ticket.ts";

const [meshId, machineId, peerId] = [createMeshId(), createMachineId(), createMachineId()];
const NOT_SIGNED = { error: { code: "relay_ticket_invalid", detail: "the signature is not the mesh's" } };
const GOOD = { ok: true };

async function createKey() {
  const { privateKey, publicKey } = await generateKeyPair("Ed25519", { extractable: true });
  const jwk = (await exportJWK(publicKey)) as JsonWebKey;
  const kid = await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: jwk.x ?? "" });
  return { jwk, kid, privateKey };
}
type Key = Awaited<ReturnType<typeof createKey>>;

/** A mesh that has these keys, the newest first, and a relay that asks it. */
function createWorld(...held: Key[]) {
  const mesh = { held, asked: [] as (string | null)[], nowMs: 1_800_000_000_000 };
  const { verify } = createTicketVerifier({
    relayName: toRelayName(meshId, machineId, peerId),
    async readKey(id, keyId) {
      expect(id).toBe(meshId);
      mesh.asked.push(keyId);
      const found = keyId === null ? mesh.held[0] : mesh.held.find(({ kid }) => kid === keyId);
      return found?.jwk ?? null;
    },
    now: () => mesh.nowMs,
  });
  const sign = async ({ privateKey }: Key, kid: string | undefined, { sub = machineId, peer = peerId } = {}) => {
    const iat = Math.floor(mesh.nowMs / 1_000);
    const claims = { iss: meshId, sub, peer, iat, exp: iat + 60 };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "EdDSA", ...(kid === undefined ? {} : { kid }) })
      .sign(privateKey);
  };
  return { mesh, verify, sign, show: async (key: Key, kid?: string) => verify(await sign(key, kid), machineId) };
}

test("a key is asked for when a ticket names it first, and then once a minute at most", async () => {
  const [first, second] = [await createKey(), await createKey()];
  const { mesh, show } = createWorld(first);
  expect(await show(first, first.kid)).toMatchObject(GOOD);
  expect(await show(first, first.kid)).toMatchObject(GOOD);
  expect(mesh.asked).toEqual([first.kid]);
  mesh.held = [second, first];
  expect(await show(second, second.kid)).toMatchObject(GOOD);
  expect(await show(first, first.kid)).toMatchObject(GOOD);
  expect(mesh.asked).toEqual([first.kid, second.kid]);
  mesh.nowMs += 60_000;
  expect(await show(second, second.kid)).toMatchObject(GOOD);
  expect(mesh.asked).toEqual([first.kid, second.kid, second.kid]);
});

test("a key that the mesh has let go opens nothing after a minute, whether tickets name it or not", async () => {
  const [stolen, second] = [await createKey(), await createKey()];
  const { mesh, show } = createWorld(stolen);
  for (const kid of [stolen.kid, undefined]) expect(await show(stolen, kid)).toMatchObject(GOOD);
  mesh.held = [second];
  mesh.nowMs += 59_999;
  expect(await show(stolen, stolen.kid)).toMatchObject(GOOD);
  mesh.nowMs += 1;
  for (const kid of [stolen.kid, undefined]) expect(await show(stolen, kid)).toMatchObject(NOT_SIGNED);
});

test("a ticket of older code, which names no key, is of the newest", async () => {
  const [key, other] = [await createKey(), await createKey()];
  const { mesh, show } = createWorld(key);
  expect(await show(key)).toMatchObject(GOOD);
  expect(await show(other)).toMatchObject(NOT_SIGNED);
  expect(mesh.asked).toEqual([null]);
});

test("a ticket that names the mesh's key and is signed with another opens nothing", async () => {
  const [key, other] = [await createKey(), await createKey()];
  const { show } = createWorld(key);
  expect(await show(other, key.kid)).toMatchObject(NOT_SIGNED);
});

test("a flood of forged key ids is a few questions to the mesh, and the peer is let in all the same", async () => {
  const [key, forger] = [await createKey(), await createKey()];
  const { mesh, sign, verify, show } = createWorld(key);
  for (let number = 0; number < 200; number++) {
    expect(await show(forger, String(number).padStart(43, "A"))).toMatchObject(NOT_SIGNED);
  }
  expect(mesh.asked).toHaveLength(5);
  const peers = await sign(key, key.kid, { sub: peerId, peer: machineId });
  expect(await verify(peers, peerId)).toMatchObject(GOOD);
  // The key is known now, also to the machine that may ask for no more.
  expect(await show(key, key.kid)).toMatchObject(GOOD);
  mesh.nowMs += 60_000;
  expect(await show(key, key.kid)).toMatchObject(GOOD);
});

test("what is refused anyway asks the mesh nothing", async () => {
  const key = await createKey();
  const { mesh, sign, verify } = createWorld(key);
  const ticket = await sign(key, key.kid);
  expect((await verify(ticket, peerId)).ok).toBe(false);
  expect((await verify(await sign(key, key.kid, { peer: createMachineId() }), machineId)).ok).toBe(false);
  expect((await verify(await sign(key, "short"), machineId)).ok).toBe(false);
  mesh.nowMs += 60_000;
  expect(await verify(ticket, machineId)).toMatchObject({ error: { detail: "it has expired" } });
  expect(mesh.asked).toEqual([]);
});
