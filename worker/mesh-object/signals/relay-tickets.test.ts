import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { migrate } from "../../durable/migrate.ts";
import { createDatabase, type Database } from "../../durable/sqlite.ts";
import { createMachineId, createMeshId } from "../../testing/fake-agent.ts";
import { createTestMesh, TEST_CAUSE } from "../../testing/test-mesh.ts";
import {
  createRelayTicketStorage,
  createRelayTickets,
  RELAY_KEY_MAX_AGE_MS,
  RELAY_TICKET_AGES_MIGRATION,
  RELAY_TICKETS_MIGRATION,
  type RelayTickets,
} from "./relay-tickets.ts";

const PAIR = { meshId: createMeshId(), machineId: createMachineId(), peerId: createMachineId() };
const NOW_MS = 1_800_000_000_500;
const keyIdOf = (ticket: string): string => decodeProtectedHeader(ticket).kid ?? "";

test("a ticket says which machine may open which relay until when, signed with the mesh's key, which it names", () =>
  withTickets(async (tickets) => {
    const ticket = await tickets.issue({ ...PAIR, nowMs: NOW_MS });
    const jwk = { kty: "OKP", ...(await tickets.readPublicJwk(keyIdOf(ticket), NOW_MS)) };
    const { payload } = await jwtVerify(ticket, await importJWK(jwk, "EdDSA"), { currentDate: new Date(NOW_MS) });
    const { meshId: iss, machineId: sub, peerId: peer } = PAIR;
    expect(payload).toEqual({ iss, sub, peer, iat: 1_800_000_000, exp: 1_800_000_060 });
    expect(decodeProtectedHeader(ticket)).toEqual({ alg: "EdDSA", kid: await calculateJwkThumbprint(jwk) });
    expect(await tickets.readPublicJwk(null, NOW_MS)).toEqual(jwk);
  }));

test("there is one key, whoever asks for the first ticket, and it outlives the instance", () =>
  withTickets(async (tickets, db) => {
    expect(await tickets.readPublicJwk(null, NOW_MS)).toBeNull();
    expect(tickets.replaceKey(await tickets.makeKey(), NOW_MS)).toBe(false);
    expect(tickets.readMadeAtMs()).toBeNull();
    expect(db.first("SELECT * FROM relay_ticket_key")).toBeNull();
    const later = createRelayTickets(createRelayTicketStorage(db));
    const issued = await Promise.all([tickets, later, tickets].map((each) => each.issue({ ...PAIR, nowMs: NOW_MS })));
    expect(db.all("SELECT * FROM relay_ticket_key")).toHaveLength(1);
    expect(new Set(issued).size).toBe(1);
    expect(await later.readPublicJwk(null, NOW_MS)).toEqual(await tickets.readPublicJwk(null, NOW_MS));
  }));

test("the public key has no private part", () =>
  withTickets(async (tickets) => {
    await tickets.issue({ ...PAIR, nowMs: NOW_MS });
    expect(Object.keys((await tickets.readPublicJwk(null, NOW_MS)) ?? {}).sort()).toEqual(["crv", "kty", "x"]);
  }));

test("a key that was replaced is told until its last ticket has expired, and nothing of its private part is kept", () =>
  withTickets(async (tickets, db) => {
    const former = keyIdOf(await tickets.issue({ ...PAIR, nowMs: NOW_MS }));
    const atMs = NOW_MS + 3_600_000;
    const { d } = JSON.parse(db.first<{ jwk: string }>("SELECT jwk FROM relay_ticket_key")?.jwk ?? "{}");
    expect(tickets.replaceKey(await tickets.makeKey(), atMs)).toBe(true);
    expect(JSON.stringify(db.all("SELECT * FROM relay_ticket_key"))).not.toContain(d);
    const newest = keyIdOf(await tickets.issue({ ...PAIR, nowMs: atMs }));
    expect(newest).not.toBe(former);
    expect(await tickets.readPublicJwk(newest, atMs)).toEqual(await tickets.readPublicJwk(null, atMs));
    expect(await tickets.readPublicJwk(former, atMs + 59_999)).not.toBeNull();
    expect(await tickets.readPublicJwk(former, atMs + 60_000)).toBeNull();
    expect(await tickets.readPublicJwk(newest, atMs + 60_000)).not.toBeNull();
    expect(await tickets.readPublicJwk("A".repeat(43), atMs)).toBeNull();
  }));

test("a key that is younger than a ticket gets stays, so that two clicks make no ticket void", () =>
  withTickets(async (tickets) => {
    const first = keyIdOf(await tickets.issue({ ...PAIR, nowMs: NOW_MS }));
    const atMs = NOW_MS + 60_000;
    expect(tickets.replaceKey(await tickets.makeKey(), atMs - 1)).toBe(false);
    expect(tickets.replaceKey(await tickets.makeKey(), atMs)).toBe(true);
    expect(tickets.replaceKey(await tickets.makeKey(), atMs + 59_999)).toBe(false);
    expect(tickets.readMadeAtMs()).toBe(atMs);
    expect(await tickets.readPublicJwk(first, atMs + 59_999)).not.toBeNull();
  }));

test("the first ticket after a key got old is signed with another", () =>
  withTickets(async (tickets) => {
    const issueAt = async (nowMs: number) => keyIdOf(await tickets.issue({ ...PAIR, nowMs }));
    const first = await issueAt(NOW_MS);
    expect(await issueAt(NOW_MS + RELAY_KEY_MAX_AGE_MS - 1)).toBe(first);
    const atMs = NOW_MS + RELAY_KEY_MAX_AGE_MS;
    const [one, other] = await Promise.all([issueAt(atMs), issueAt(atMs)]);
    expect(one).not.toBe(first);
    expect(other).toBe(one);
    expect(await tickets.readPublicJwk(first, atMs)).not.toBeNull();
  }));

test("a key of older code gets old from the upgrade on", () =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), async (_, { storage }) => {
    const db = createDatabase(storage);
    migrate(db, [RELAY_TICKETS_MIGRATION]);
    const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
    const { kty, crv, x, d } = await exportJWK(privateKey);
    db.run("INSERT INTO relay_ticket_key VALUES (1, ?)", JSON.stringify({ kty, crv, x, d }));
    migrate(db, [RELAY_TICKETS_MIGRATION, RELAY_TICKET_AGES_MIGRATION]);
    const tickets = createRelayTickets(createRelayTicketStorage(db));
    expect(Math.abs((tickets.readMadeAtMs() ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(keyIdOf(await tickets.issue({ ...PAIR, nowMs: Date.now() }))).toBe(
      await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: x ?? "" }),
    );
  }));

test("a mesh that gave out no ticket, and an object that holds no mesh, have no key", async () => {
  const { mesh } = await createTestMesh();
  expect(await mesh.readRelayKey()).toBeNull();
  const nothing = env.MESH.getByName(createMeshId()) as unknown as typeof mesh;
  expect(await nothing.readRelayKey()).toBeNull();
  expect(await nothing.replaceRelayKey(TEST_CAUSE)).toEqual({ ok: false, error: { code: "mesh_not_found" } });
});

const withTickets = (use: (tickets: RelayTickets, db: Database) => Promise<void>) =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), async (_, { storage }) => {
    const db = createDatabase(storage);
    migrate(db, [RELAY_TICKETS_MIGRATION, RELAY_TICKET_AGES_MIGRATION]);
    await use(createRelayTickets(createRelayTicketStorage(db)), db);
  });
