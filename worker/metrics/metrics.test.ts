import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApiToken } from "#schema/api/api-tokens";
import { createMesh } from "#schema/api/meshes";
import { createVip } from "#schema/api/vips";
import { CONTROL_PLANE_METRICS } from "#schema/metrics/control-plane-metrics";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage } from "#schema/wire/messages";
import { createFailureLimit } from "../auth/failure-limit.ts";
import { createDatabase } from "../db/database.ts";
import type { Services } from "../services.ts";
import { createCountingD1 } from "../testing/count-rows.ts";
import { createTestApp, OWNER_TOKEN, parseProblem, type TestApp, uniqueName } from "../testing/create-test-app.ts";
import { AGENT_INFO, enrolMachine, toApp } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakePoller, createHello } from "../testing/fake-agent.ts";

const app = createTestApp();
let nextNetwork = 0;
const createFreshMesh = async () =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: `10.${++nextNetwork}.0.0/24` } })).reply;

async function scrape(from: TestApp = app): Promise<Map<string, number>> {
  const response = await from.fetch("/metrics", { headers: { authorization: `Bearer ${OWNER_TOKEN}` } });
  expect(response.status).toBe(200);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("/metrics", () => {
  it("tells of meshes and machines", async () => {
    const before = await scrape();
    const { id: meshId, name: mesh } = await createFreshMesh();
    const first = await enrolMachine(app, { meshIds: [meshId], hostname: uniqueName("up") });
    const second = await enrolMachine(app, { meshIds: [meshId], hostname: uniqueName("down") });
    const third = await enrolMachine(app, { meshIds: [], hostname: uniqueName("alone") });
    const body = { name: "db", address: `10.${nextNetwork}.0.200`, machineIds: [second.machineId] };
    await app.call(createVip, { params: { meshId }, body });
    const member = createFakePoller(toApp(app, first, AGENT_PATHS.meshSync(meshId)), FromMeshMessage);
    await member.post(createHello());
    await eventually(async () => {
      const after = await scrape();
      const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
      const of = (name: string) => after.get(`becket_mesh_${name}{mesh="${mesh}"}`);
      expect([grown("becket_meshes"), of("up"), of("members"), of("members_online")]).toEqual([1, 1, 2, 1]);
      expect([of("addresses_used"), of("addresses_available"), of("vips"), of("vips_unheld")]).toEqual([3, 251, 1, 1]);
      expect(after.get(`becket_mesh_connections{mesh="${mesh}",transport="long_poll"}`)).toBe(1);
      const states = ["online", "offline", "unassigned"].map((state) => grown(`becket_machines{state="${state}"}`));
      expect(states).toEqual([1, 1, 1]);
      const up = [first, second, third].map(({ name }) => after.get(`becket_machine_up{machine="${name}"}`));
      expect(up).toEqual([1, 0, undefined]);
      const labels = `machine="${third.name}",machine_id="${third.machineId}",version="${AGENT_INFO.agentVersion}"`;
      expect(after.get(`becket_machine_info{${labels},gateway="false"}`)).toBe(1);
    });
  });

  it("tells nothing that is not declared, in both formats", async () => {
    await createFreshMesh();
    for (const accept of ["text/plain", "application/openmetrics-text;version=1.0.0"]) {
      const headers = { authorization: `Bearer ${OWNER_TOKEN}`, accept };
      const response = await app.fetch("/metrics", { headers });
      expect(response.headers.get("content-type")).toContain(accept.split(";")[0]);
      const names = [...new TextDecoder().decode(await response.arrayBuffer()).matchAll(/^([a-z_]+)/gm)].map(
        ([name]) => name,
      );
      expect(names.length).toBeGreaterThan(20);
      expect(names.filter((name) => !(name in CONTROL_PLANE_METRICS))).toEqual([]);
    }
  });

  it("opens to the token of a viewer, and to nothing else", async () => {
    const viewer = await viewerToken();
    const answers = await Promise.all(
      [{ authorization: `Bearer ${viewer}` }, {}, { authorization: "Bearer nonsense" }, { cookie: "session=x" }].map(
        (headers) => app.fetch("/metrics", { headers }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 401]);
    expect(answers[1]?.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect((await app.fetch("/metrics", { method: "POST" })).status).toBe(405);
  });

  it("counts failures as the API does", async () => {
    const header = "x-client";
    const failureLimit = createFailureLimit(header, () => 0, { burst: 2, perSecond: 0 });
    const limited = createTestApp({ failureLimit });
    const headers = { [header]: "192.0.2.1", authorization: "Bearer nonsense" };
    for (let count = 0; count < 2; count++) expect((await limited.fetch("/metrics", { headers })).status).toBe(401);
    for (const path of ["/metrics", "/api/v1/meshes"])
      expect((await parseProblem(await limited.fetch(path, { headers }))).code).toBe("rate_limited");
  });

  it("costs one round trip to D1 and one call of each mesh, and asks no machine", async () => {
    const { id: meshId } = await createFreshMesh();
    for (let count = 0; count < 5; count++) await enrolMachine(app, { meshIds: [meshId] });
    const calls = { batches: 0, meshes: [] as string[] };
    const { objects } = app.services;
    const binding = new Proxy(env.DB, {
      get: (target, key) => {
        if (key === "batch") calls.batches++;
        return Reflect.get(target, key).bind(target);
      },
    });
    const mesh: Services["objects"]["mesh"] = (id) => {
      calls.meshes.push(id);
      return objects.mesh(id);
    };
    const machine = () => {
      throw new Error("a machine was asked");
    };
    const values = await scrape(createTestApp({ db: createDatabase(binding), objects: { ...objects, mesh, machine } }));
    expect(calls.batches).toBe(1);
    expect(calls.meshes.length).toBe(values.get("becket_meshes"));
    expect(new Set(calls.meshes).size).toBe(calls.meshes.length);
    const counting = createCountingD1();
    const rowsRead = await counting.measure(() => scrape(createTestApp({ db: createDatabase(counting.database) })));
    const machineCount = [...values.keys()].filter((key) => key.startsWith("becket_machine_info")).length;
    expect(rowsRead).toBeLessThanOrEqual(calls.meshes.length + 4 * machineCount);
  });

  it("tells of the others when a mesh does not answer, and takes nobody there for offline", async () => {
    const [broken, whole] = [await createFreshMesh(), await createFreshMesh()];
    const { name } = await enrolMachine(app, { meshIds: [broken.id], hostname: uniqueName("hidden") });
    const { objects, log } = app.services;
    const mesh: Services["objects"]["mesh"] = (id) =>
      id === broken.id ? ({ readMetrics: () => Promise.reject(new Error("overloaded")) } as never) : objects.mesh(id);
    const failing = createTestApp({ objects: { ...objects, mesh }, log: { ...log, warn: () => undefined } });
    await eventually(async () => {
      const values = await scrape(failing);
      const of = (metric: string, { name }: { name: string }) => values.get(`becket_mesh_${metric}{mesh="${name}"}`);
      expect([of("up", broken), of("members", broken), of("members_online", broken)]).toEqual([0, 1, undefined]);
      expect([of("up", whole), of("members_online", whole)]).toEqual([1, 0]);
      expect(values.has(`becket_machine_up{machine="${name}"}`)).toBe(false);
      expect(values.has('becket_machines{state="offline"}')).toBe(false);
      expect(values.get('becket_machines{state="unknown"}')).toBeGreaterThan(0);
    });
  });
});

async function viewerToken(): Promise<string> {
  return (await app.call(createApiToken, { body: { name: uniqueName("scraper"), role: "viewer" } })).reply.token;
}
