import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { testPeer } from "./testing/mesh-model.ts";
import { createTestWorld, type TestWorld } from "./testing/test-machine.ts";

const HOUR_MS = 3_600_000;
// Hours pass in here, a second at a time, with real sockets in between.
vi.setConfig({ testTimeout: 30_000 });
let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

/** Relayed peers are at whatever port of the agent was free. */
const render = () => world.machine.kernel.render().replace(/at 127\.0\.0\.1:\d+/g, "at the agent");
/** Of interfaces and peers; the packet rules follow the agent's own ports. */
const tunnelChanges = () => world.machine.kernel.changes.filter((command) => !command.startsWith("nft "));
const path = () => AGENT_PATHS.meshSync(world.mesh.model.meshId);

/** An agent that was in sync and is gone; its tunnels stand. */
async function leaveBehind(): Promise<string> {
  const { mesh, start, untilApplied } = world;
  mesh.model.put(2, 0);
  const agent = start();
  await untilApplied();
  await agent.stop();
  return render();
}

/** The machine was started anew: interfaces are gone, the disk is not. */
function reboot(): void {
  for (const name of [...world.machine.kernel.links.keys()]) {
    if (name.startsWith("bkt-")) world.machine.kernel.links.delete(name);
  }
}

describe("without the control plane, an agent", () => {
  test("brings its tunnels up from the disk, and follows what it missed later", async () => {
    const { plane, mesh, machine, start, untilApplied } = world;
    const before = await leaveBehind();
    await plane.goDown();
    reboot();
    start({ token: null });
    await machine.until(() => expect(render()).toBe(before));
    mesh.model.put(3, 0);
    await plane.goUp();
    await untilApplied();
    expect(render()).toContain(testPeer(3).publicKey);
  });

  test("keeps its tunnels, and catches up from its position when it is back", async () => {
    const { plane, mesh, machine, start, untilApplied } = world;
    mesh.model.put(2, 0);
    const agent = start();
    await untilApplied();
    const before = render();
    await plane.goDown();
    await machine.until(async () => expect((await agent.status()).meshes[0]?.link.state).toBe("waiting"));
    await machine.pass(60_000);
    expect(render()).toBe(before);
    const { revision } = mesh.model.desired();
    mesh.model.put(3, 0);
    await plane.goUp();
    await untilApplied();
    expect(mesh.hellos.at(-1)).toBe(revision);
  });

  test("waits for it before it enrols", async () => {
    const { plane, start, untilApplied, machine } = world;
    await plane.goDown();
    start();
    await machine.until(() => expect(machine.logs.join()).toContain("enrolment did not get through"));
    await plane.goUp();
    await untilApplied();
  });
});

describe("told to go down before it is in any mesh, an agent", () => {
  test("ends while it enrols: no timer goes on, nothing is sent or written afterwards", async () => {
    const { plane, machine, start } = world;
    await plane.goDown();
    const agent = start();
    await machine.until(() => expect(machine.logs.join()).toContain("enrolment did not get through"));
    expect(await agent.down({ forget: true })).toEqual({ removed: [] });
    expect(await agent.end).toEqual({ code: "down" });
    expect([machine.clock.pending(), [...machine.files.content.keys()]]).toEqual([0, []]);
    const writes = machine.files.writes.length;
    await plane.goUp();
    await machine.pass(60_000);
    expect([plane.requests, machine.files.writes.length]).toEqual([[], writes]);
  });

  test("opens no link and makes no interface when its cache is read only then", async () => {
    const { plane, machine, start } = world;
    await leaveBehind();
    const requests = plane.requests.length;
    const { list } = machine.files;
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    machine.files.list = async (folder) => {
      await gate;
      return list(folder);
    };
    const agent = start({ token: null });
    await machine.pass(1_000);
    const down = agent.down({ forget: false });
    letGo();
    await machine.until(() => expect(render()).not.toContain("bkt-"));
    expect([await down, await agent.end]).toMatchObject([{ removed: ["bkt-mesh-0"] }, { code: "down" }]);
    await machine.pass(60_000);
    expect([render().includes("bkt-"), plane.requests.length, machine.clock.pending()]).toEqual([false, requests, 0]);
  });
});

describe("with trouble on its disk, an agent", () => {
  test.each(["state.json", "meshes", "both"])(
    "goes on from the control plane when the cache is damaged: %s",
    async (which) => {
      const { mesh, plane, machine, start, untilApplied } = world;
      const before = await leaveBehind();
      const changes = tunnelChanges().length;
      for (const name of machine.files.content.keys()) {
        const isHit = name.endsWith(which) || (name.includes("/meshes/") && which !== "state.json");
        if (isHit || (which === "both" && name.endsWith("state.json")))
          machine.files.content.set(name, '{"version":1,"mes');
      }
      mesh.applied.length = 0;
      start({ token: null });
      await untilApplied();
      expect(render()).toBe(before);
      expect(tunnelChanges().slice(changes)).toEqual([]);
      expect(machine.logs.join()).toContain("the disk cache failed");
      expect(plane.requests.filter((request) => request.includes("enrolments"))).toHaveLength(1);
      await machine.until(() => expect(mesh.applied.at(-1)?.failures).toEqual([]));
    },
  );

  test("leaves its tunnels alone when cache and control plane are both gone", async () => {
    const { plane, machine, start } = world;
    const before = await leaveBehind();
    for (const name of machine.files.content.keys()) {
      if (name.endsWith(".json") && !name.endsWith("identity.json")) machine.files.content.set(name, "garbage");
    }
    await plane.goDown();
    start({ token: null });
    await machine.until(() => expect(machine.logs.join()).toContain("not connected"));
    await machine.pass(60_000);
    expect(render()).toBe(before);
  });

  test("says that it could not keep who it is, and keeps it when there is room again", async () => {
    const { plane, machine, start, untilApplied } = world;
    machine.files.failFile = "/state/identity.json";
    machine.files.failWrites = "ENOSPC";
    const agent = start();
    await untilApplied();
    expect((await agent.status()).failures).toMatchObject([{ message: expect.stringContaining("identity.json") }]);
    machine.files.failWrites = null;
    await machine.pass(61_000);
    await machine.until(async () => expect((await agent.status()).failures).toEqual([]));
    expect(machine.files.content.get("/state/identity.json")).toContain(plane.machineId);
  });

  test("works with a full disk, says so on the machine, and writes when there is room again", async () => {
    const { mesh, machine, start, untilApplied } = world;
    await leaveBehind();
    machine.files.failWrites = "ENOSPC";
    const agent = start({ token: null });
    mesh.model.put(3, 0);
    await untilApplied();
    expect(render()).toContain(testPeer(3).publicKey);
    await machine.until(() =>
      expect(mesh.applied.at(-1)?.failures).toMatchObject([{ step: "cache.write", code: "ENOSPC" }]),
    );
    expect((await agent.status()).failures).toMatchObject([{ code: "ENOSPC" }]);
    machine.files.failWrites = null;
    await machine.pass(61_000);
    await machine.until(() => expect(mesh.applied.at(-1)?.failures).toEqual([]));
    expect([...machine.files.content.values()].join()).toContain(testPeer(3).publicKey);
  });

  test("joins a new mesh with a full disk, its key in memory until there is room", async () => {
    const { plane, machine, start, untilApplied } = world;
    await leaveBehind();
    start({ token: null });
    await untilApplied();
    machine.files.failWrites = "ENOSPC";
    machine.files.writableFolder = "/run";
    const second = plane.addMesh(1);
    await untilApplied(second);
    expect(render()).toContain("bkt-mesh-1");
    await machine.until(() =>
      expect(second.applied.at(-1)?.failures).toContainEqual(expect.objectContaining({ step: "key.write" })),
    );
  });

  test.each([
    ["failWrites", "ENOSPC", /ENOSPC.*Free some space/],
    ["failWrites", "EROFS", /EROFS.*Choose a --state-dir that can be read and written/],
    ["failReads", "ENOTDIR", /ENOTDIR.*Choose a --state-dir that can be read and written/],
  ] as const)("does not enrol when it could not keep who it is: %s %s", async (lever, code, message) => {
    const { plane, machine, start } = world;
    machine.files[lever] = code;
    const problem = { problem: "state_unwritable", message: expect.stringMatching(message) };
    expect(await start().end).toMatchObject({ code: "not_enrolled", ...problem });
    expect(plane.requests).toEqual([]);
  });

  test("leaves nothing behind when it can't enrol for want of a token or a URL", async () => {
    const { machine, start } = world;
    expect(await start({ token: null }).end).toMatchObject({ problem: "join_token_missing" });
    expect(await start({ token: "bkj_short" }).end).toMatchObject({ problem: "join_token_invalid" });
    expect(await start({ url: null }).end).toMatchObject({ problem: "url_missing" });
    expect(machine.files.writes).toEqual([]);
  });

  test("comes back as the same machine, by a join token, when only identity.json is damaged", async () => {
    const { plane, machine, start, untilApplied } = world;
    await leaveBehind();
    machine.files.content.set("/state/identity.json", "garbage");
    expect(await start({ token: null }).end).toMatchObject({ code: "not_enrolled", problem: "join_token_missing" });
    const key = machine.files.content.get("/state/identity.key");
    start();
    await untilApplied();
    expect(machine.files.content.get("/state/identity.key")).toBe(key);
    expect(machine.files.content.get("/state/identity.json")).toContain(plane.machineId);
  });

  test("does not become another machine when its identity key is missing, and says what to do", async () => {
    const { machine, start, plane } = world;
    await leaveBehind();
    const requests = plane.requests.length;
    machine.files.content.delete("/state/identity.key");
    expect(await start().end).toMatchObject({
      problem: "identity_key_missing",
      message: expect.stringMatching(/identity\.key is missing.*Restore.*becket down --forget.*new join token/),
    });
    expect([machine.files.content.has("/state/identity.key"), plane.requests.length]).toEqual([false, requests]);
    const forgetting = machine.start({ token: null });
    await forgetting.down({ forget: true });
    start();
    await world.untilApplied();
  });

  test("never overwrites an identity key that it can't read", async () => {
    const { machine, start } = world;
    await leaveBehind();
    machine.files.content.set("/state/identity.key", "garbage");
    expect(await start().end).toMatchObject({ problem: "identity_key_damaged" });
    expect(machine.files.content.get("/state/identity.key")).toBe("garbage");
  });
});

describe("with a key that another member has, an agent", () => {
  const self = () => world.mesh.model.desired().members.find(({ machineId }) => machineId === world.plane.machineId);
  async function loseKeyToAnother() {
    await leaveBehind();
    const publicKey = self()?.publicKey ?? testPeer(0).publicKey;
    world.mesh.model.removeRow(world.plane.machineId);
    world.mesh.model.putRow({ ...testPeer(7), publicKey });
    return publicKey;
  }

  test("makes a new one for that mesh, and follows it again", async () => {
    const { start, machine, untilApplied } = world;
    const taken = await loseKeyToAnother();
    const agent = start({ token: null });
    await untilApplied();
    await machine.until(() => expect(self()?.publicKey).toMatch(/=$/));
    expect(self()?.publicKey).not.toBe(taken);
    expect(render()).toContain(`key ${self()?.publicKey} port 51820`);
    expect(render()).toContain(`peer ${taken}`);
    expect((await agent.status()).meshes).toMatchObject([{ interfaceName: "bkt-mesh-0", failures: [] }]);
  });

  test("says so when it can't, and goes on trying", async () => {
    const { start, machine, untilApplied } = world;
    await loseKeyToAnother();
    const { remove } = machine.files;
    machine.files.remove = async () => {
      throw Object.assign(new Error("EROFS: the disk fails"), { code: "EROFS" });
    };
    const agent = start({ token: null });
    await machine.until(async () =>
      expect((await agent.status()).meshes[0]?.failures).toMatchObject([{ step: "key.replace", code: "key_taken" }]),
    );
    machine.files.remove = remove;
    await machine.pass(61_000);
    await untilApplied();
    expect((await agent.status()).meshes[0]?.failures).toEqual([]);
  });
});

describe("on an odd network, an agent", () => {
  test.each([HOUR_MS, -HOUR_MS])("works with a clock that is off by %i ms", async (skewMs) => {
    const { start, untilApplied, mesh, machine } = world;
    await leaveBehind();
    mesh.applied.length = 0;
    start({ token: null, skewMs });
    await untilApplied();
    mesh.change(mesh.model.put(5, 0));
    await untilApplied();
    expect(machine.logs.join()).not.toContain("not connected");
  });

  test("works where WebSockets do not pass, and takes them when they do again", async () => {
    const { mesh, plane, machine, start, untilApplied } = world;
    plane.levers.blocksWebSockets = true;
    const agent = start();
    await untilApplied();
    expect((await agent.status()).meshes[0]?.link).toMatchObject({ transport: "long-poll" });
    mesh.change(mesh.model.put(2, 0));
    await untilApplied();
    plane.levers.blocksWebSockets = false;
    await machine.pass(180_000);
    await machine.until(async () => expect((await agent.status()).meshes[0]?.link.transport).toBe("websocket"));
    mesh.change(mesh.model.put(3, 0));
    await untilApplied();
    expect(render()).toContain(testPeer(3).publicKey);
  });

  test("polls where WebSockets open and die at once", async () => {
    const { plane, machine, start, mesh } = world;
    plane.levers.killsSockets = true;
    const agent = start();
    await machine.until(async () => expect((await agent.status()).meshes[0]?.link.transport).toBe("long-poll"));
    await machine.until(() => expect(mesh.applied.length).toBeGreaterThan(0));
  });

  test("connects anew when nothing answers its pings any more", async () => {
    const { plane, machine, start, untilApplied, mesh } = world;
    start();
    await untilApplied();
    plane.levers.isMute = true;
    await machine.pass(41_000);
    plane.levers.isMute = false;
    const hellos = mesh.hellos.length;
    // The greeting of the connection in between got no answer either.
    await machine.pass(35_000);
    await machine.until(() => expect(mesh.hellos.length).toBeGreaterThan(hellos));
  });

  test("connects anew when the object does not answer its heartbeats, though pings are answered", async () => {
    const { plane, machine, start, untilApplied, mesh } = world;
    start();
    await untilApplied();
    plane.levers.answersOnlyPings = true;
    const hellos = mesh.hellos.length;
    await machine.pass(179_000);
    expect(mesh.hellos.length).toBe(hellos);
    await machine.pass(32_000);
    plane.levers.answersOnlyPings = false;
    await machine.pass(35_000);
    await machine.until(() => expect(mesh.hellos.length).toBeGreaterThan(hellos));
  });

  test("finds by its heartbeat a change that was never delivered", async () => {
    const { machine, start, untilApplied, mesh } = world;
    start();
    await untilApplied();
    const hellos = mesh.hellos.length;
    mesh.model.put(4, 0);
    await machine.pass(180_000);
    await untilApplied();
    expect(mesh.hellos.length).toBe(hellos);
    expect(render()).toContain(testPeer(4).publicKey);
  });
});

describe("when the control plane closes the connection, an agent", () => {
  test.each([
    ["replaced", CLOSE_CODES.replaced],
    ["wireVersion", CLOSE_CODES.wireVersion],
  ])("keeps its tunnels, says why, and comes back in minutes: %s", async (_, code) => {
    const { plane, machine, start, untilApplied, mesh } = world;
    const agent = start();
    await untilApplied();
    const [before, requests, hellos] = [render(), plane.requests.length, mesh.hellos.length];
    plane.closeSockets(path(), code);
    await machine.until(async () => expect((await agent.status()).meshes[0]?.link.state).toBe("waiting"));
    expect((await agent.status()).meshes[0]?.link.reason).toMatch(/took over|version/);
    await machine.pass(29_000);
    expect([render(), plane.requests.length]).toEqual([before, requests]);
    await machine.pass(60_000);
    await machine.until(() => expect(mesh.hellos.length).toBeGreaterThan(hellos));
    expect(render()).toBe(before);
  });

  test.each([CLOSE_CODES.badMessage, CLOSE_CODES.rateLimited, 1011, 1006 + 6])(
    "comes back after code %i",
    async (code) => {
      const { plane, start, untilApplied, mesh, machine } = world;
      start();
      await untilApplied();
      const hellos = mesh.hellos.length;
      plane.closeSockets(path(), code);
      await machine.pass(60_000);
      await machine.until(() => expect(mesh.hellos.length).toBeGreaterThan(hellos));
    },
  );
});

describe("hostile and malformed messages", () => {
  const valid = fc.constantFrom<object>(
    { type: "sync.snapshot", epoch: "e", revision: 1, mesh: {}, members: [] },
    { type: "sync.changes", epoch: "epoch-1", revision: 1e308, since: -1, changed: [null], removed: ["x"] },
    { type: "sync.changes", epoch: "epoch-1", revision: 99, since: 98, changed: [], removed: [] },
    { type: "sync.position", epoch: "other", revision: 0 },
    { type: "mesh.left", meshId: "msh_00000000000000000000000000", reason: "removed" },
    { type: "error", code: "x".repeat(9_999), message: "" },
    { type: "machine.state", revision: -1, name: "../..", meshes: [{}] },
    { type: "machine.removed.not" },
    { type: "__proto__", constructor: null },
  );
  const hostile = fc.oneof(
    fc.string(),
    fc.json(),
    valid.map((message) => JSON.stringify(message)),
    fc.constant("pong"),
  );

  test.each([false, true])("never stop it from following the mesh (long-poll: %s)", async (isLongPoll) => {
    const { plane, mesh, machine, start, untilApplied } = world;
    plane.levers.blocksWebSockets = isLongPoll;
    const agent = start();
    await untilApplied();
    for (const text of fc.sample(hostile, 200)) {
      plane.sendRaw(path(), text);
      plane.sendRaw(AGENT_PATHS.machineSync, text);
    }
    mesh.change(mesh.model.put(6, 0));
    await machine.pass(60_000);
    await machine.pass(180_000);
    await untilApplied();
    expect(render()).toContain(testPeer(6).publicKey);
    expect((await agent.status()).meshes).toHaveLength(1);
  });
});
