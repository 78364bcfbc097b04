// What outlives the object's instance: everything that was answered, and the sockets.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { createHello, createMeshView, createPublicKey, takeUntil, toObject } from "../testing/fake-agent.ts";
import { createTestMesh } from "../testing/test-mesh.ts";

test("sockets outlive eviction and hear the next change, from where each of them stood", async () => {
  const mesh = await createTestMesh();
  const members = [await mesh.connectNew(), await mesh.connectNew()];
  const views = members.map(({ answer }) => {
    const view = createMeshView();
    view.take(answer);
    return view;
  });
  await evictDurableObject(mesh.stub);
  const newest = await mesh.connectNew();
  await evictDurableObject(mesh.stub);
  await mesh.mesh.renameMember(newest.machineId, "renamed");
  for (const [index, { socket }] of members.entries()) {
    const view = views[index] ?? createMeshView();
    await takeUntil(socket, view, () => view.row(newest.machineId)?.name === "renamed");
    expect(view.machineIds()).toHaveLength(3);
  }
});

test("a change that was stored and not told to anybody is told when the object is back", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  await runInDurableObject(mesh.stub, (_, { storage: { sql } }) => {
    sql.exec("UPDATE mesh SET revision = 9, visible_revision = 9");
    sql.exec("UPDATE members SET name = 'renamed', revision = 9");
  });
  await evictDurableObject(mesh.stub);
  await mesh.mesh.readPresence([]);
  expect(await socket.next()).toMatchObject({ since: 3, revision: 9, changed: [{ machineId, name: "renamed" }] });
});

test("members, addresses, keys, epoch and revision are as before", async () => {
  const mesh = await createTestMesh();
  const publicKey = createPublicKey();
  const { machineId, answer } = await mesh.connectNew({ publicKey });
  const before = await mesh.mesh.getMember(machineId);
  await evictDurableObject(mesh.stub, { webSockets: "close" });
  expect(await mesh.mesh.getMember(machineId)).toMatchObject({
    value: { publicKey, address: before.ok ? before.value.address : null },
  });
  const position = answer.type === "sync.snapshot" ? { epoch: answer.epoch, revision: answer.revision } : null;
  expect(await mesh.poller(machineId).post(createHello({ publicKey, position }))).toMatchObject([
    { type: "sync.changes", ...position, changed: [], removed: [] },
  ]);
});

test("the longest report that is legal is kept with its socket", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  const long = (length: number) => "€".repeat(length);
  // Twelve digits of a second: 33 characters are refused.
  const since = `2026-11-23T00:00:00.${"1".repeat(11)}Z`;
  const failure = { step: long(64), code: long(64), message: long(1_024), since };
  socket.send({ type: "sync.applied", epoch: long(40), revision: 3, failures: Array(16).fill(failure) });
  socket.send({ type: "sync.heartbeat", epoch: long(40), revision: 3 });
  expect(await socket.next()).toMatchObject({ type: "sync.snapshot" });
  await evictDurableObject(mesh.stub);
  const member = await mesh.mesh.getMember(machineId);
  expect(member.ok && member.value.failures).toEqual(Array(16).fill({ ...failure, message: long(200) }));
  socket.send({
    type: "sync.applied",
    epoch: "e",
    revision: 3,
    failures: [{ ...failure, since: `${since.slice(0, -1)}1Z` }],
  });
  expect(await socket.closed).toMatchObject({ code: 4400 });
});

test("a socket keeps how far it was told, and nothing else of the mesh", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket, answer } = await mesh.connectNew();
  await mesh.connectNew();
  const told = await socket.next();
  const epoch = answer.type === "sync.snapshot" ? answer.epoch : "";
  const revision = told.type === "sync.changes" ? told.revision : 0;
  socket.send({ type: "sync.applied", epoch, revision, failures: [] });
  await vi.waitFor(async () =>
    expect(await mesh.mesh.getMember(machineId)).toMatchObject({ value: { appliedRevision: revision } }),
  );
  const attachments = await runInDurableObject(mesh.stub, (_, state) =>
    state.getWebSockets().map((webSocket) => webSocket.deserializeAttachment().state.told),
  );
  for (const attachment of attachments) expect(Object.keys(attachment).sort()).toEqual(["epoch", "revision"]);
});

test("what a member has applied, its failures and its presence are kept with its socket", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket, answer } = await mesh.connectNew();
  const epoch = answer.type === "sync.snapshot" ? answer.epoch : "";
  const failures = [{ step: "add-address", code: "command_failed", message: "no", since: "2026-11-23T00:00:00Z" }];
  socket.send({ type: "sync.applied", epoch, revision: 3, failures });
  socket.send({ type: "sync.heartbeat", epoch, revision: 3 });
  await socket.next();
  await evictDurableObject(mesh.stub);
  expect(await mesh.mesh.getMember(machineId)).toMatchObject({ value: { online: true, appliedRevision: 3, failures } });
});

test("a socket that closes while the object sleeps is noted as last seen", async () => {
  const mesh = await createTestMesh();
  const { machineId, socket } = await mesh.connectNew();
  await evictDurableObject(mesh.stub);
  socket.close();
  await socket.closed;
  await evictDurableObject(mesh.stub);
  expect(Object.keys(await mesh.mesh.readPresence([machineId]))).toEqual([machineId]);
});

test("tokens of before are refused as stale, as their use may be forgotten", async () => {
  const mesh = await createTestMesh();
  const { machineId } = await mesh.addNew();
  const issuedAt = Math.floor(Date.now() / 1_000);
  const token = { tokenId: "the-same-token-twice", issuedAt };
  const open = { method: "GET", isUpgrade: true } as const;
  expect((await toObject(mesh.mesh, machineId, token)(open)).status).toBe(101);
  const replayed = await toObject(mesh.mesh, machineId, token)(open);
  expect(await replayed.json()).toMatchObject({ status: 401, code: "machine_token_replayed" });
  await evictDurableObject(mesh.stub);
  const stale = await toObject(mesh.mesh, machineId, { issuedAt: issuedAt - 7 })(open);
  expect(await stale.json()).toMatchObject({ status: 401, code: "machine_token_stale" });
});
