// Who may watch a mesh.
import { describe, expect, it } from "vitest";
import { createApiToken, revokeApiToken } from "#schema/api/api-tokens";
import { deleteMachine } from "#schema/api/machines";
import { createMesh, updateMesh, watchMesh } from "#schema/api/meshes";
import { getMe, signOut } from "#schema/api/sign-in";
import { listSessions, removeUser, revokeSession, updateUser } from "#schema/api/users";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import { UNKNOWN_IDS } from "../testing/all-operations.ts";
import { createTestApp, ORIGIN, parseProblem, toUrl, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine } from "../testing/enrolled-machine.ts";
import { eventually } from "../testing/eventually.ts";
import { signIn, type TestBrowser } from "../testing/test-browser.ts";
import { openWatcher } from "../testing/test-watcher.ts";

const app = createTestApp();
const UPGRADE = { upgrade: "websocket" };
const makeMesh = async () =>
  (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/16" } })).reply.id;
const toPath = (meshId: string) => toUrl(watchMesh, { params: { meshId } });
const signInAs = (role: "owner" | "admin" | "viewer") => signIn(app, { name: uniqueName("user"), role });

describe("a mesh is watched", () => {
  it("by a viewer's page, which hears of a change by somebody else", async () => {
    const meshId = await makeMesh();
    const { browser } = await signInAs("viewer");
    const watcher = await openWatcher(() => browser.fetch(toPath(meshId), { headers: { ...UPGRADE, origin: ORIGIN } }));
    await app.call(updateMesh, { params: { meshId }, body: { name: uniqueName("renamed") } });
    await watcher.nextChange("mesh");
  });

  it("by a script with an API token, which has no Origin", async () => {
    const meshId = await makeMesh();
    const { problem } = await app.call(watchMesh, { params: { meshId }, as: "viewer" });
    expect(problem).toMatchObject({ status: 426, code: "upgrade_required" });
    const token = { authorization: `Bearer ${app.services.ownerToken}` };
    const watcher = await openWatcher(() => app.fetch(toPath(meshId), { headers: { ...UPGRADE, ...token } }));
    const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
    expect(await watcher.nextChange("members")).toMatchObject({ machineIds: [machineId] });
    await watcher.nextChange("lists");
  });
});

it("what only D1 knows is hinted at when it is there: the default mesh, a machine that is removed", async () => {
  const meshId = await makeMesh();
  const { machineId } = await enrolMachine(app, { meshIds: [meshId] });
  const token = { authorization: `Bearer ${app.services.ownerToken}` };
  const watcher = await openWatcher(() => app.fetch(toPath(meshId), { headers: { ...UPGRADE, ...token } }));
  await app.call(updateMesh, { params: { meshId }, body: { isDefault: true } });
  await watcher.nextChange("lists");
  await app.call(deleteMachine, { params: { machineId } });
  await watcher.nextChange("members");
  await watcher.nextChange("lists");
});

describe("a socket is closed at once", () => {
  const openAs = (browser: TestBrowser, meshId: string) =>
    openWatcher(() => browser.fetch(toPath(meshId), { headers: { ...UPGRADE, origin: ORIGIN } }));
  /** Who was looked up in the millisecond of the change is asked to come again. */
  const openAgain = (browser: TestBrowser, meshId: string) => eventually(() => openAs(browser, meshId));

  it("when its session is revoked or signs out; another session of the same person stays", async () => {
    const meshId = await makeMesh();
    const { browser, user } = await signInAs("viewer");
    const other = await signIn(app, { userId: user.id });
    const [revoked, stays] = [await openAs(browser, meshId), await openAs(other.browser, meshId)];
    const { session } = (await browser.call(getMe, {})).reply;
    await app.call(revokeSession, { params: { sessionId: String(session?.id) } });
    expect(await revoked.closed).toMatchObject({ code: 4401 });
    await app.call(updateMesh, { params: { meshId }, body: { name: uniqueName("renamed") } });
    await stays.nextChange("mesh");
    await other.browser.call(signOut, {});
    expect(await stays.closed).toMatchObject({ code: 4401 });
  });

  it("when somebody else signs in in the same browser", async () => {
    const meshId = await makeMesh();
    const { browser } = await signInAs("admin");
    const former = await openAs(browser, meshId);
    await signIn(app, { name: uniqueName("user"), role: "viewer" }, browser);
    expect(await former.closed).toMatchObject({ code: 4401 });
  });

  it("when its person gets another role, is blocked or is removed; with another role it may come back", async () => {
    const meshId = await makeMesh();
    const { browser, user } = await signInAs("admin");
    const params = { userId: user.id };
    const admin = await openAs(browser, meshId);
    await app.call(updateUser, { params, body: { role: "viewer" } });
    expect(await admin.closed).toMatchObject({ code: 4401 });
    const viewer = await openAgain(browser, meshId);
    await app.call(updateUser, { params, body: { isBlocked: true } });
    expect(await viewer.closed).toMatchObject({ code: 4401 });
    await app.call(updateUser, { params, body: { isBlocked: false } });
    const removed = await openAgain((await signIn(app, { userId: user.id })).browser, meshId);
    await app.call(removeUser, { params });
    expect(await removed.closed).toMatchObject({ code: 4401 });
  });

  it("when its API token is revoked", async () => {
    const meshId = await makeMesh();
    const body = { name: uniqueName("token"), role: "viewer" };
    const { id, token } = (await app.call(createApiToken, { body })).reply;
    const headers = { ...UPGRADE, authorization: `Bearer ${token}` };
    const watcher = await openWatcher(() => app.fetch(toPath(meshId), { headers }));
    await app.call(revokeApiToken, { params: { apiTokenId: id } });
    expect(await watcher.closed).toMatchObject({ code: 4401 });
  });
});

describe("a mesh is not watched", () => {
  it("by nobody, nor by a page of another site, nor by a browser that does not say whose page it is", async () => {
    const meshId = await makeMesh();
    const { browser } = await signInAs("owner");
    const nobody = await app.fetch(toPath(meshId), { headers: { ...UPGRADE, origin: ORIGIN } });
    expect(await parseProblem(nobody)).toMatchObject({ code: "unauthenticated" });
    for (const origin of ["https://evil.test", `${ORIGIN}:8443`, "null", undefined]) {
      const headers = { ...UPGRADE, ...(origin === undefined ? {} : { origin }) };
      const response = await browser.fetch(toPath(meshId), { headers });
      expect(await parseProblem(response), origin).toMatchObject({ code: "origin_mismatched" });
    }
  });

  it("with a session that was revoked", async () => {
    const meshId = await makeMesh();
    const { browser, user } = await signInAs("viewer");
    const { items } = (await app.call(listSessions, { query: { userId: user.id } })).reply;
    for (const { id } of items) await app.call(revokeSession, { params: { sessionId: id } });
    const response = await browser.fetch(toPath(meshId), { headers: { ...UPGRADE, origin: ORIGIN } });
    expect(await parseProblem(response)).toMatchObject({ code: "unauthenticated" });
  });

  it("without an upgrade, or where there is none", async () => {
    const token = { authorization: `Bearer ${app.services.ownerToken}` };
    const plain = await app.fetch(toPath(await makeMesh()), { headers: token });
    expect([plain.status, plain.headers.get("upgrade")]).toEqual([426, "websocket"]);
    const missing = await app.fetch(toPath(String(UNKNOWN_IDS.meshId)), { headers: { ...UPGRADE, ...token } });
    expect(await parseProblem(missing)).toMatchObject({ code: "mesh_not_found" });
  });

  it("by a machine, nor is a machine by who watches: headers of the Worker's own are not taken from outside", async () => {
    const meshId = await makeMesh();
    const headers = { ...UPGRADE, [TRUSTED_HEADERS.watcher]: "user:usr_x", [TRUSTED_HEADERS.machineId]: "mch_x" };
    const asMachine = await app.fetch(`/agent/v1/meshes/${meshId}/sync`, { headers });
    expect(asMachine.status).toBe(401);
    expect((await app.fetch(toPath(meshId), { headers })).status).toBe(401);
  });
});
