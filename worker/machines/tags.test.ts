import { describe, expect, it } from "vitest";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, listJoinTokens } from "#schema/api/join-tokens";
import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import { createMesh, watchMesh } from "#schema/api/meshes";
import { createTestApp, toUrl, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { openWatcher } from "../testing/test-watcher.ts";

const app = createTestApp();
const tag = (machineId: string, tags: readonly string[]) =>
  app.call(updateMachine, { params: { machineId }, body: { tags } });
const tagsOf = async (machineId: string) => (await app.call(getMachine, { params: { machineId } })).reply.tags;

describe("tags", () => {
  it("are none at first, are replaced as a whole, and stay when something else is changed", async () => {
    const { machineId } = await enrolMachine(app, { meshIds: [] });
    expect(await tagsOf(machineId)).toEqual([]);
    expect((await tag(machineId, ["web", "site:berlin", "web"])).reply.tags).toEqual(["site:berlin", "web"]);
    await app.call(updateMachine, { params: { machineId }, body: { name: uniqueName("renamed") } });
    expect(await tagsOf(machineId)).toEqual(["site:berlin", "web"]);
    expect((await tag(machineId, [])).reply.tags).toEqual([]);
  });

  it("and a name that somebody else changes in the same moment are both kept", async () => {
    const { machineId } = await enrolMachine(app, { meshIds: [] });
    const name = uniqueName("renamed");
    await Promise.all([
      tag(machineId, ["web"]),
      app.call(updateMachine, { params: { machineId }, body: { name } }),
      app.call(updateMachine, { params: { machineId }, body: { gateway: true } }),
    ]);
    const { reply } = await app.call(getMachine, { params: { machineId } });
    expect(reply).toMatchObject({ name, gateway: true, tags: ["web"] });
  });

  it("are written down when they change, with what they were", async () => {
    const { machineId } = await enrolMachine(app, { meshIds: [] });
    for (const tags of [["b", "a"], ["a", "b"], ["a"]]) await tag(machineId, tags);
    const query = { subjectId: machineId, action: "machine.updated" };
    const events = (await app.call(listAuditEvents, { query })).reply.items;
    expect(events.map(({ details }) => details)).toEqual([
      { tags: ["a"], previousTags: ["a", "b"] },
      { tags: ["a", "b"], previousTags: [] },
    ]);
  });

  it("are refused where they are none, and from a viewer", async () => {
    const { machineId } = await enrolMachine(app, { meshIds: [] });
    const many = Array.from({ length: 17 }, (_, index) => `t${index}`);
    for (const [tags, path] of [
      [["ok", "Not ok"], "tags.1"],
      [many, "tags"],
    ] as const) {
      expect((await tag(machineId, tags)).problem).toMatchObject({ code: "validation_failed", errors: [{ path }] });
    }
    const asViewer = { params: { machineId }, body: { tags: ["a"] }, as: "viewer" } as const;
    expect((await app.call(updateMachine, asViewer)).problem.code).toBe("forbidden");
    expect(await tagsOf(machineId)).toEqual([]);
  });

  it("find machines, page by page", async () => {
    const own = uniqueName("find");
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      const { machineId } = await enrolMachine(app, { meshIds: [] });
      await tag(machineId, index % 2 === 0 ? [own, `${own}-other`] : [`${own}-other`]);
      if (index % 2 === 0) made.push(machineId);
    }
    const found: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: Record<string, string> = { tag: own, limit: "2", ...(cursor === "" ? {} : { cursor }) };
      const page = (await app.call(listMachines, { query })).reply;
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(made);
    expect((await app.call(listMachines, { query: { tag: "nobody-has-it" } })).reply.items).toEqual([]);
    expect((await app.call(listMachines, { query: { tag: "No tag" } })).problem.code).toBe("validation_failed");
  });

  it("of a join token are those of its new machines; one that was there keeps its own", async () => {
    const body = { tags: ["web", "site:berlin"], meshIds: [] };
    const created = (await app.call(createJoinToken, { body })).reply;
    expect(created.tags).toEqual(["site:berlin", "web"]);
    const listed = (await app.call(listJoinTokens, { query: { limit: "500" } })).reply.items;
    expect(listed.find(({ id }) => id === created.id)?.tags).toEqual(["site:berlin", "web"]);
    const { machineId, identity } = await enrolMachine(app, { token: created.token });
    expect(await tagsOf(machineId)).toEqual(["site:berlin", "web"]);
    await tag(machineId, ["mine"]);
    const other = (await app.call(createJoinToken, { body })).reply;
    expect((await enrolMachine(app, { token: other.token, identity })).machineId).toBe(machineId);
    expect(await tagsOf(machineId)).toEqual(["mine"]);
  });

  it("that change are hinted at to whoever watches a mesh of the machine", async () => {
    const mesh = { name: uniqueName("mesh"), cidr: "10.77.0.0/24" };
    const meshId = (await app.call(createMesh, { body: mesh })).reply.id;
    const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
    await eventually(async () =>
      expect((await app.call(getMachine, { params: { machineId } })).reply.meshes).toHaveLength(1),
    );
    const path = toUrl(watchMesh, { params: { meshId } });
    const headers = { upgrade: "websocket", authorization: `Bearer ${app.services.ownerToken}` };
    const watcher = await openWatcher(() => app.fetch(path, { headers }));
    // The first hint may be of its joining.
    for (const tags of [["web"], ["db"]]) {
      await tag(machineId, tags);
      await watcher.nextChange("lists");
    }
  });
});
