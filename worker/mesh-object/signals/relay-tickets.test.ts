import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { migrate } from "../../durable/migrate.ts";
import { createDatabase, type Database } from "../../durable/sqlite.ts";
import { createMachineId, createMeshId } from "../../testing/fake-agent.ts";
import { createTestMesh } from "../../testing/test-mesh.ts";
import {
  createRelayTicketStorage,
  createRelayTickets,
  RELAY_TICKETS_MIGRATION,
  type RelayTickets,
} from "./relay-tickets.ts";

const PAIR = { meshId: createMeshId(), machineId: createMachineId(), peerId: createMachineId() };
const NOW_MS = 1_800_000_000_500;

test("a ticket says which machine may open which relay until when, signed with the mesh's key", () =>
  withTickets(async (tickets) => {
    const ticket = await tickets.issue({ ...PAIR, nowMs: NOW_MS });
    const key = await importJWK({ kty: "OKP", ...tickets.readPublicJwk() }, "EdDSA");
    const { payload } = await jwtVerify(ticket, key, { currentDate: new Date(NOW_MS) });
    const { meshId: iss, machineId: sub, peerId: peer } = PAIR;
    expect(payload).toEqual({ iss, sub, peer, iat: 1_800_000_000, exp: 1_800_000_060 });
    expect(decodeProtectedHeader(ticket)).toEqual({ alg: "EdDSA" });
  }));

test("there is one key, whoever asks for the first ticket, and it outlives the instance", () =>
  withTickets(async (tickets, db) => {
    expect(tickets.readPublicJwk()).toBeNull();
    expect(db.first("SELECT * FROM relay_ticket_key")).toBeNull();
    const later = createRelayTickets(createRelayTicketStorage(db));
    const issued = await Promise.all([tickets, later, tickets].map((each) => each.issue({ ...PAIR, nowMs: NOW_MS })));
    expect(db.all("SELECT * FROM relay_ticket_key")).toHaveLength(1);
    expect(new Set(issued).size).toBe(1);
    expect(later.readPublicJwk()).toEqual(tickets.readPublicJwk());
  }));

test("the public key has no private part", () =>
  withTickets(async (tickets) => {
    await tickets.issue({ ...PAIR, nowMs: NOW_MS });
    expect(Object.keys(tickets.readPublicJwk() ?? {}).sort()).toEqual(["crv", "kty", "x"]);
  }));

test("a mesh that gave out no ticket, and an object that holds no mesh, have no key", async () => {
  const { mesh } = await createTestMesh();
  expect(await mesh.readRelayKey()).toBeNull();
  const nothing = env.MESH.getByName(createMeshId()) as unknown as typeof mesh;
  expect(await nothing.readRelayKey()).toBeNull();
});

const withTickets = (use: (tickets: RelayTickets, db: Database) => Promise<void>) =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), async (_, { storage }) => {
    const db = createDatabase(storage);
    migrate(db, [RELAY_TICKETS_MIGRATION]);
    await use(createRelayTickets(createRelayTicketStorage(db)), db);
  });
