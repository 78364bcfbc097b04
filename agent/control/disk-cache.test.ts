import { beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_TIMINGS } from "../config.ts";
import { silentLogger } from "../system/logger.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../testing/memory-files.ts";
import { createMeshModel, testMachineId } from "../testing/mesh-model.ts";
import { createDiskCache } from "./disk-cache.ts";
import { createIdentityStore } from "./identity.ts";

let clock: FakeClock;
let files: MemoryFiles;
let told: number;
beforeEach(() => {
  clock = createFakeClock();
  files = createMemoryFiles();
  told = 0;
});

const open = () =>
  createDiskCache({
    files,
    stateDir: "/state",
    clock,
    log: silentLogger,
    delayMs: DEFAULT_TIMINGS.cacheDelayMs,
    retryMs: DEFAULT_TIMINGS.cacheRetryMs,
    onFailuresChanged: () => told++,
  });

function meshFile(index = 0, peers = 1) {
  const model = createMeshModel(index);
  for (let peer = 0; peer < peers; peer++) model.put(peer, 0);
  return { meshId: model.meshId, interfaceName: "bkt-a", listenPort: 51_820 + index, desired: model.desired() };
}

describe("the disk cache", () => {
  test("gives back what was saved", async () => {
    const cache = open();
    const machine = {
      revision: 3,
      meshes: [{ meshId: meshFile().meshId, name: "a" as never }],
      stunServers: ["stun.example.org:3478"],
    };
    cache.saveMachine(machine);
    cache.saveMesh(meshFile(0));
    cache.saveMesh(meshFile(1));
    await cache.flush();
    const loaded = await open().load();
    expect(loaded).toEqual({
      machine: { version: 1, ...machine },
      meshes: [0, 1].map((index) => ({ version: 1, ...meshFile(index) })),
    });
  });

  test("reads what an agent wrote that knew of no STUN servers", async () => {
    files.content.set("/state/state.json", JSON.stringify({ version: 1, revision: 1, meshes: [] }));
    expect((await open().load()).machine).toMatchObject({ stunServers: [] });
  });

  test("writes only what changed, also after a restart", async () => {
    const first = open();
    first.saveMesh(meshFile());
    first.saveMesh(meshFile());
    await first.flush();
    first.saveMesh(meshFile());
    await first.flush();
    const second = open();
    await second.load();
    second.saveMesh(meshFile());
    await second.flush();
    expect(files.writes).toHaveLength(1);
  });

  test("keeps up with a burst: what is newest is there at the end", async () => {
    const cache = open();
    for (let peers = 0; peers < 50; peers++) cache.saveMesh(meshFile(0, peers));
    await cache.flush();
    expect((await open().load()).meshes[0]?.desired?.members).toHaveLength(49);
    expect(files.writes.length).toBeLessThan(5);
  });

  test("joins what comes within a moment into one write, made without being asked", async () => {
    const cache = open();
    for (let peers = 0; peers < 40; peers++) {
      cache.saveMesh(meshFile(0, peers));
      await clock.advance(20);
    }
    expect(files.writes).toHaveLength(1);
    await clock.advance(500);
    expect(files.writes).toHaveLength(2);
    expect((await open().load()).meshes[0]?.desired?.members).toHaveLength(39);
    expect(clock.pending()).toBe(0);
  });

  test("forgets a mesh, and everything", async () => {
    const cache = open();
    cache.saveMachine({ revision: 1, meshes: [], stunServers: [] });
    cache.saveMesh(meshFile(0));
    cache.saveMesh(meshFile(1));
    cache.removeMesh(meshFile(0).meshId);
    await cache.flush();
    expect((await open().load()).meshes).toHaveLength(1);
    await cache.clear();
    expect([...files.content.keys()]).toEqual([]);
  });

  test.each(["", "{", "null", '{"version":2}', "\0".repeat(100)])(
    "takes %j as missing and says so until it is written anew",
    async (text) => {
      const cache = open();
      cache.saveMachine({ revision: 1, meshes: [], stunServers: [] });
      await cache.flush();
      files.content.set("/state/state.json", text);
      const next = open();
      expect((await next.load()).machine).toBeNull();
      expect([next.failures(), told]).toMatchObject([[{ step: "cache.read", code: "corrupt" }], 1]);
      next.saveMachine({ revision: 1, meshes: [], stunServers: [] });
      await next.flush();
      expect([next.failures(), told]).toEqual([[], 2]);
    },
  );

  test("keeps who the machine is without delay, and as often as it takes", async () => {
    const enrolment = { controlPlaneUrl: "https://a", machineId: testMachineId(1), name: "m1" as never };
    files.failWrites = "ENOSPC";
    const cache = open();
    cache.saveEnrolment(enrolment);
    await clock.advance(0);
    expect(cache.failures()).toMatchObject([{ code: "ENOSPC", message: expect.stringContaining("identity.json") }]);
    files.failWrites = null;
    await clock.advance(60_000);
    expect(cache.failures()).toEqual([]);
    expect((await createIdentityStore(files, "/state").readEnrolment()).enrolment).toMatchObject(enrolment);
    await cache.clear();
    expect([...files.content.keys()]).toEqual([]);
  });

  test("one damaged mesh costs the others nothing, and a file of another name is not believed", async () => {
    const cache = open();
    cache.saveMesh(meshFile(0));
    cache.saveMesh(meshFile(1));
    await cache.flush();
    files.content.set(`/state/meshes/${meshFile(0).meshId}.json`, "garbage");
    files.content.set("/state/meshes/other.json", files.content.get(`/state/meshes/${meshFile(1).meshId}.json`) ?? "");
    expect((await open().load()).meshes.map(({ meshId }) => meshId)).toEqual([meshFile(1).meshId]);
  });

  test("goes on when the disk can't be read at all", async () => {
    files.failReads = "EIO";
    const cache = open();
    expect(await cache.load()).toEqual({ machine: null, meshes: [] });
    expect(cache.failures().map(({ code }) => code)).toEqual(["EIO", "EIO"]);
  });

  test("tries a file again that failed, whatever was written since", async () => {
    const [one, other] = [meshFile(0), meshFile(1)];
    files.failWrites = "ENOSPC";
    files.failFile = `/state/meshes/${one.meshId}.json`;
    const cache = open();
    cache.saveMesh(one);
    await cache.flush();
    await clock.advance(5_000);
    cache.saveMesh(other);
    await cache.flush();
    expect(cache.failures()).toHaveLength(1);
    files.failWrites = null;
    await clock.advance(5_000);
    await cache.flush();
    expect([cache.failures(), (await open().load()).meshes.length]).toEqual([[], 2]);
  });

  test("does not bring back what failed and was then forgotten", async () => {
    files.failWrites = "ENOSPC";
    const cache = open();
    cache.saveMesh(meshFile(0));
    cache.saveMesh(meshFile(1));
    await cache.flush();
    files.failWrites = null;
    cache.removeMesh(meshFile(0).meshId);
    await cache.flush();
    await clock.advance(60_000);
    await cache.flush();
    expect((await open().load()).meshes.map(({ meshId }) => meshId)).toEqual([meshFile(1).meshId]);
    await cache.clear();
    expect(clock.pending()).toBe(0);
  });

  test("tries again when the disk was full, with what is newest then", async () => {
    files.failWrites = "ENOSPC";
    const cache = open();
    cache.saveMesh(meshFile(0, 1));
    await cache.flush();
    cache.saveMesh(meshFile(0, 2));
    await cache.flush();
    expect(cache.failures()).toMatchObject([{ step: "cache.write", code: "ENOSPC" }]);
    files.failWrites = null;
    await clock.advance(60_000);
    await cache.flush();
    expect(cache.failures()).toEqual([]);
    expect((await open().load()).meshes[0]?.desired?.members).toHaveLength(2);
  });
});
