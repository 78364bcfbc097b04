import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { deleteMachine, getMachine, listMachines, rotateMachineKeys, updateMachine } from "#schema/api/machines";
import { addMember, getMember, listMembers } from "#schema/api/members";
import { createMesh } from "#schema/api/meshes";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { createDatabase } from "../db/database.ts";
import { createTestApp, parseProblem, uniqueName } from "../testing/create-test-app.ts";
import { AGENT_INFO, enrolMachine, fetchAs } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";

const app = createTestApp();
const UNKNOWN = "mch_01arz3ndektsv4rrffq69g5fav";
let nextNetwork = 0;
const createFreshMesh = async () =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: `10.${++nextNetwork}.0.0/22` } })).reply.id;

describe("a machine", () => {
  it("is shown with its agent, its meshes and whether it is online", async () => {
    const meshId = await createFreshMesh();
    const { machineId, name } = await enrolMachine(app, { meshIds: [meshId] });
    await eventually(async () => {
      const machine = (await app.call(getMachine, { params: { machineId } })).reply;
      expect(machine).toMatchObject({ id: machineId, name, online: false, agent: AGENT_INFO });
      expect(machine.meshes.map((mesh) => mesh.meshId)).toEqual([meshId]);
    });
  });

  it("is online once it was heard on its own object, in no mesh", async () => {
    const machine = await enrolMachine(app, { meshIds: [] });
    const params = { machineId: machine.machineId };
    expect((await app.call(getMachine, { params })).reply).toMatchObject({ online: false });
    const polled = await fetchAs(app, machine, `${AGENT_PATHS.machineSync}?wait=0`);
    expect(polled.status).toBe(200);
    expect((await app.call(getMachine, { params })).reply).toMatchObject({ online: true });
  });

  it.each([getMachine, updateMachine, rotateMachineKeys, deleteMachine])(
    "that is unknown: $id answers machine_not_found",
    async (operation) => {
      const body = operation === updateMachine || operation === rotateMachineKeys ? { body: {} } : {};
      expect((await app.call(operation, { params: { machineId: UNKNOWN }, ...body })).problem.code).toBe(
        "machine_not_found",
      );
    },
  );
});

describe("renaming", () => {
  it("shows the new name everywhere", async () => {
    const meshId = await createFreshMesh();
    const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
    const name = uniqueName("renamed");
    expect((await app.call(updateMachine, { params: { machineId }, body: { name } })).reply.name).toBe(name);
    await eventually(async () => {
      expect((await app.call(getMember, { params: { meshId, machineId } })).reply.name).toBe(name);
    });
    const query = { subjectId: machineId, action: "machine.updated" };
    const [event] = (await app.call(listAuditEvents, { query })).reply.items;
    expect(event?.details).toMatchObject({ name });
  });

  it("refuses the name of another machine, and keeps its own without complaint or trace", async () => {
    const [one, two] = [await enrolMachine(app), await enrolMachine(app)];
    const params = { machineId: one.machineId };
    const taken = await app.call(updateMachine, { params, body: { name: two.name } });
    expect(taken.problem).toMatchObject({ code: "name_taken", errors: [{ path: "name" }] });
    expect((await app.call(updateMachine, { params, body: { name: one.name } })).reply.name).toBe(one.name);
    const query = { subjectId: one.machineId, action: "machine.updated" };
    expect((await app.call(listAuditEvents, { query })).reply.items).toEqual([]);
  });
});

describe("a gateway", () => {
  it("is none until it is made one; its meshes, of now and of later, hear of it", async () => {
    const [first, second] = [await createFreshMesh(), await createFreshMesh()];
    const { machineId } = await enrolMachine(app, { meshIds: [first] });
    const params = { machineId };
    expect((await app.call(getMachine, { params })).reply.gateway).toBe(false);
    expect((await app.call(updateMachine, { params, body: { gateway: true } })).reply.gateway).toBe(true);
    await app.call(addMember, { params: { meshId: second }, body: { machineId } });
    expect([await isGatewayIn(first, machineId), await isGatewayIn(second, machineId)]).toEqual([true, true]);
    const name = uniqueName("renamed");
    expect((await app.call(updateMachine, { params, body: { name, gateway: false } })).reply).toMatchObject({
      ...{ name, gateway: false },
    });
    expect([await isGatewayIn(first, machineId), await isGatewayIn(second, machineId)]).toEqual([false, false]);
  });

  it("is written down once, and needs an admin", async () => {
    const { machineId } = await enrolMachine(app);
    const change = { params: { machineId }, body: { gateway: true } };
    expect((await app.call(updateMachine, { ...change, as: "viewer" })).problem.code).toBe("forbidden");
    for (let count = 0; count < 2; count++) await app.call(updateMachine, { ...change, as: "admin" });
    const query = { subjectId: machineId, action: "machine.updated" };
    const events = (await app.call(listAuditEvents, { query })).reply.items;
    expect(events.map(({ details }) => details)).toEqual([{ gateway: true }]);
  });

  const isGatewayIn = (meshId: string, machineId: string) =>
    runInDurableObject(env.MESH.getByName(meshId), (_, { storage: { sql } }) => {
      const query = "SELECT is_gateway FROM members WHERE machine_id = ?";
      return sql.exec<{ is_gateway: number }>(query, machineId).one().is_gateway === 1;
    });
});

describe("new keys", () => {
  const MINUTE_MS = 60_000;
  const made = (ms: number) => new Date(ms).toISOString();
  const told = async (machine: Awaited<ReturnType<typeof enrolMachine>>) => {
    const { messages } = (await (await fetchAs(app, machine, `${AGENT_PATHS.machineSync}?wait=0`)).json()) as {
      messages: { revision: number; keyReplacement: unknown }[];
    };
    return messages[0];
  };
  const eventsOf = async (subjectId: string) =>
    (await app.call(listAuditEvents, { query: { subjectId, action: "key_replacement.requested" } })).reply.items;

  it("are asked of the machine, which is told, and written down; the same again changes nothing", async () => {
    const machine = await enrolMachine(app);
    const params = { machineId: machine.machineId };
    expect((await told(machine))?.keyReplacement).toBeNull();
    const body = { keysMadeBefore: made(Date.now() - MINUTE_MS) };
    const order = { ...body, force: false };
    expect((await app.call(rotateMachineKeys, { params, body, as: "admin" })).reply).toEqual(order);
    const first = await told(machine);
    expect(first?.keyReplacement).toEqual(order);
    expect((await app.call(rotateMachineKeys, { params, body })).reply).toEqual(order);
    expect(await told(machine)).toEqual(first);
    await eventually(async () =>
      expect(await eventsOf(machine.machineId)).toMatchObject([{ details: { ...order, name: machine.name } }]),
    );
  });

  it("are asked for from now on when no moment is named, and never for one to come", async () => {
    const machine = await enrolMachine(app);
    const params = { machineId: machine.machineId };
    const start = Date.now();
    for (const body of [{}, { keysMadeBefore: made(Date.now() + 60 * MINUTE_MS), force: true }]) {
      const { reply } = await app.call(rotateMachineKeys, { params, body });
      expect(Date.parse(reply.keysMadeBefore)).toBeGreaterThanOrEqual(start);
      expect(Date.parse(reply.keysMadeBefore)).toBeLessThanOrEqual(Date.now());
    }
  });

  it("stay asked for by the newest moment, and waiting for nobody can be said of the same one later", async () => {
    const machine = await enrolMachine(app);
    const params = { machineId: machine.machineId };
    const [older, newer] = [made(Date.now() - 2 * MINUTE_MS), made(Date.now() - MINUTE_MS)];
    const ask = async (keysMadeBefore: string, force: boolean) =>
      (await app.call(rotateMachineKeys, { params, body: { keysMadeBefore, force } })).reply;
    await ask(newer, false);
    expect(await ask(older, true)).toEqual({ keysMadeBefore: newer, force: false });
    expect(await ask(newer, true)).toEqual({ keysMadeBefore: newer, force: true });
    expect(await ask(newer, false)).toEqual({ keysMadeBefore: newer, force: true });
    expect(await eventsOf(machine.machineId)).toHaveLength(2);
  });

  it("need an admin", async () => {
    const { machineId } = await enrolMachine(app);
    const asked = await app.call(rotateMachineKeys, { params: { machineId }, body: {}, as: "viewer" });
    expect(asked.problem.code).toBe("forbidden");
  });
});

describe("removing a machine", () => {
  it("takes it out of its meshes and frees its name", async () => {
    const meshId = await createFreshMesh();
    const { machineId, name } = await enrolMachine(app, { meshIds: [meshId], hostname: "leaver" });
    const params = { machineId };
    expect((await app.call(deleteMachine, { params })).status).toBe(204);
    expect((await app.call(getMachine, { params })).problem.code).toBe("machine_not_found");
    expect((await app.call(deleteMachine, { params })).problem.code).toBe("machine_not_found");
    await eventually(async () => {
      expect((await app.call(listMembers, { params: { meshId } })).reply.items).toEqual([]);
    });
    expect((await app.call(addMember, { params: { meshId }, body: { machineId } })).problem.code).toBe(
      "machine_not_found",
    );
    expect((await enrolMachine(app, { hostname: "leaver" })).name).toBe(name);
  });

  it("cuts it off at once, though its key is still in this isolate's cache", async () => {
    const meshId = await createFreshMesh();
    const machine = await enrolMachine(app, { meshIds: [meshId] });
    const other = createTestApp();
    const poll = (path: string) => fetchAs(other, machine, `${path}?wait=0`);
    expect((await poll(AGENT_PATHS.machineSync)).status).toBe(200);
    await app.call(deleteMachine, { params: { machineId: machine.machineId } });
    expect((await parseProblem(await poll(AGENT_PATHS.machineSync))).code).toBe("machine_removed");
    expect((await poll(AGENT_PATHS.meshSync(meshId))).status).toBe(403);
    const fresh = await fetchAs(createTestApp(), machine, `${AGENT_PATHS.machineSync}?wait=0`);
    expect((await parseProblem(fresh)).code).toBe("machine_removed");
  });

  it("can be repeated after D1 failed in the middle, and is written down once", async () => {
    const { machineId } = await enrolMachine(app);
    let isDown = false;
    const db = new Proxy(app.services.db, {
      get: (target, key) => {
        if (key === "batch" && isDown) throw new Error("D1_ERROR: Network connection lost.");
        return Reflect.get(target, key);
      },
    });
    const failing = createTestApp({ db, log: { ...app.services.log, error: () => undefined } });
    isDown = true;
    const failed = await failing.call(deleteMachine, { params: { machineId } });
    expect(failed.problem.code).toBe("unavailable");
    expect(failed.headers.get("retry-after")).toBe("1");
    isDown = false;
    expect((await failing.call(deleteMachine, { params: { machineId } })).status).toBe(204);
    const query = { subjectId: machineId, action: "machine.removed" };
    expect((await app.call(listAuditEvents, { query })).reply.items).toHaveLength(1);
  });
});

describe("the list of machines", () => {
  it("shows 500 machines with few queries and one call per mesh", async () => {
    const meshIds = [await createFreshMesh(), await createFreshMesh()];
    await seedMachines(500, meshIds);
    const calls = { statements: 0, meshes: [] as string[], machines: 0 };
    const { objects } = app.services;
    const binding = new Proxy(env.DB, {
      get: (target, key) => {
        if (key === "prepare") calls.statements++;
        return Reflect.get(target, key).bind(target);
      },
    });
    const counted = createTestApp({
      db: createDatabase(binding),
      objects: {
        ...objects,
        mesh: (meshId) => {
          calls.meshes.push(meshId);
          return objects.mesh(meshId);
        },
        machine: (machineId) => {
          calls.machines++;
          return objects.machine(machineId);
        },
      },
    });
    const { items, nextCursor } = (await counted.call(listMachines, { query: { limit: "500" } })).reply;
    expect(items).toHaveLength(500);
    expect(nextCursor).not.toBeNull();
    expect(items.filter(({ meshes }) => meshes.length === 2).length).toBeGreaterThan(480);
    expect(calls.statements).toBeLessThanOrEqual(3);
    expect(new Set(calls.meshes).size).toBe(calls.meshes.length);
  });

  it("pages through all of them once", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: "150", ...(cursor === null ? {} : { cursor }) };
      const page = (await app.call(listMachines, { query })).reply;
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen.length).toBeGreaterThan(500);
  });

  it("is answered without presence when an object fails", async () => {
    const { objects, log } = app.services;
    const failing = createTestApp({
      objects: { ...objects, mesh: () => ({ readPresence: () => Promise.reject(new Error("overloaded")) }) as never },
      log: { ...log, warn: () => undefined },
    });
    expect((await failing.call(listMachines, { query: { limit: "500" } })).reply.items).toHaveLength(500);
  });
});

/** Rows as enrolments and outboxes write them, older than every machine of this file. */
async function seedMachines(count: number, meshIds: readonly string[]): Promise<void> {
  const machine = env.DB.prepare("INSERT INTO machines (id, name, identity_key, created_at) VALUES (?, ?, ?, 0)");
  const membership = env.DB.prepare("INSERT INTO memberships VALUES (?, ?, '10.0.0.1', 'fd00::1', 1, 0)");
  const statements: D1PreparedStatement[] = [];
  for (let index = 0; index < count; index++) {
    const id = `mch_00000000000000000000000${String(index).padStart(3, "0")}`;
    const key = `${"A".repeat(39)}${String(index).padStart(3, "0")}A`;
    statements.push(machine.bind(id, `seeded-${index}`, key));
    for (const meshId of meshIds) statements.push(membership.bind(meshId, id));
  }
  await env.DB.batch(statements);
}
