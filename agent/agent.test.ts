import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { testPeer } from "./testing/mesh-model.ts";
import { createTestWorld, type TestWorld } from "./testing/test-machine.ts";

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

/** Our interfaces, without what differs from run to run. */
const render = () =>
  world.machine.kernel
    .render()
    .split("\n")
    .filter((line) => !/^(lo|eth0) /.test(line))
    .map((line) => line.replace(/"becket msh_[^"]+"/, '"ours"').replace(/key \S+ port/, "key ? port"))
    .map((line) => line.replace(/at 127\.0\.0\.1:\d+/, "at the agent"))
    .join("\n");

const WITH_TWO_PEERS = `bkt-mesh-0 up mtu 1420 "ours" 10.1.0.200/16 fd00:1::200/64
  key ? port 51820
  peer ${testPeer(2).publicKey} at the agent keepalive 0 allowed 10.1.0.3/32,fd00:1::3/128
  peer ${testPeer(3).publicKey} at the agent keepalive 0 allowed 10.1.0.4/32,fd00:1::4/128`;

describe("an agent", () => {
  test("enrols, brings its mesh up and says so", async () => {
    const { mesh, start, untilApplied } = world;
    mesh.model.put(2, 0);
    mesh.model.put(3, 0);
    start();
    await untilApplied();
    expect(render()).toBe(WITH_TWO_PEERS);
    expect(mesh.applied.at(-1)?.failures).toEqual([]);
    const self = mesh.model.desired().members.find(({ name }) => name === "host-1");
    expect(self?.candidates).toEqual([{ type: "host", endpoint: "192.0.2.200:51820" }]);
  });

  test("makes the interface while the mesh's object is asked, and adds to it what that answers", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    mesh.model.put(2, 0);
    mesh.model.put(3, 0);
    plane.levers.answersOnlyPings = true;
    start();
    await machine.until(() => expect(render()).toBe('bkt-mesh-0 up mtu 1420 "ours"\n  key ? port 51820'));
    plane.levers.answersOnlyPings = false;
    await machine.pass(60_000);
    await untilApplied();
    expect(render()).toBe(WITH_TWO_PEERS);
    const made = machine.kernel.changes.filter((command) => command.includes("type wireguard"));
    expect(made).toHaveLength(1);
  });

  test("leaves an interface that it finds as it is until the mesh's object has answered, also when the cache is lost", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    mesh.model.put(2, 0);
    mesh.model.put(3, 0);
    const first = start();
    await untilApplied();
    await first.stop();
    machine.files.content.delete(`/state/meshes/${mesh.model.meshId}.json`);
    plane.levers.answersOnlyPings = true;
    start({ token: null, url: null });
    await machine.pass(20_000);
    expect(render()).toBe(WITH_TWO_PEERS);
  });

  test("takes the interface away again when it is in the mesh no more before it heard what is in it", async () => {
    const { plane, start, machine } = world;
    plane.levers.answersOnlyPings = true;
    start();
    await machine.until(() => expect(render()).toContain("bkt-mesh-0"));
    plane.machine.setMeshes([]);
    plane.levers.answersOnlyPings = false;
    await machine.pass(60_000);
    await machine.until(() => expect(render()).toBe(""));
  });

  test("follows peers that come, go, get another key or another endpoint", async () => {
    const { mesh, start, untilApplied } = world;
    start();
    await untilApplied();
    mesh.change(mesh.model.put(2, 0));
    mesh.change(mesh.model.put(3, 0));
    await untilApplied();
    expect(render()).toBe(WITH_TWO_PEERS);
    mesh.change(mesh.model.put(3, 1));
    await untilApplied();
    expect(render()).toContain(testPeer(3, 1).publicKey);
    expect(render()).not.toContain(testPeer(3, 0).publicKey);
    mesh.change(mesh.model.remove(2));
    await untilApplied();
    expect(render()).not.toContain(testPeer(2).publicKey);
  });

  test("takes another address when it is given one", async () => {
    const { mesh, plane, start, untilApplied } = world;
    start();
    await untilApplied();
    const self = mesh.model.desired().members.find(({ machineId }) => machineId === plane.machineId);
    if (self === undefined) throw new Error("the machine is no member");
    mesh.change(mesh.model.putRow({ ...self, address: "10.1.0.9" as never, address6: "fd00:1::9" as never }));
    await untilApplied();
    expect(render()).toContain('"ours" 10.1.0.9/16 fd00:1::9/64');
  });

  test("takes down the mesh that it leaves, and only that", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    const second = plane.addMesh(1);
    start();
    await untilApplied(mesh);
    await untilApplied(second);
    expect(render()).toContain("bkt-mesh-0");
    plane.leave(mesh);
    await machine.until(() => expect(render()).not.toContain("bkt-mesh-0"));
    expect(render()).toContain("bkt-mesh-1");
    await machine.until(() =>
      expect([...machine.files.content.keys()].filter((name) => /0\d{0}000\.(json|key)$/.test(name))).toHaveLength(2),
    );
  });

  test("joins a mesh that it is given while it runs, each on a port of its own", async () => {
    const { plane, start, untilApplied } = world;
    start();
    await untilApplied();
    const second = plane.addMesh(1);
    await untilApplied(second);
    expect(render().match(/port \d+/g)).toEqual(["port 51820", "port 51821"]);
  });

  test("joins the mesh that it had left once more", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    start();
    await untilApplied();
    plane.leave(mesh);
    await machine.until(() => expect(render()).toBe(""));
    plane.join(mesh);
    await machine.until(() => expect(render()).toContain("bkt-mesh-0"));
  });

  test("tells the others when its own addresses change", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    start();
    await untilApplied();
    machine.kernel.addLink("eth0", { isUp: true, addresses: ["198.51.100.7/24"] });
    await machine.until(() => {
      const self = mesh.model.desired().members.find(({ machineId }) => machineId === plane.machineId);
      expect(self?.candidates).toEqual([{ type: "host", endpoint: "198.51.100.7:51820" }]);
    });
  });

  test("stops without touching its tunnels, and starts again without touching them", async () => {
    const { mesh, start, untilApplied, machine } = world;
    mesh.model.put(2, 0);
    const first = start();
    await untilApplied();
    const before = render();
    const isOfTunnels = (command: string) => !command.startsWith("nft ");
    const changes = machine.kernel.changes.filter(isOfTunnels).length;
    expect(await first.stop()).toEqual({ code: "stopped" });
    const { revision } = mesh.model.desired();
    start({ token: null, url: null });
    await machine.until(() => expect(mesh.applied.filter((report) => report.revision === revision)).toHaveLength(2));
    await machine.pass(10_000);
    expect(machine.kernel.changes.filter(isOfTunnels).slice(changes)).toEqual([]);
    expect(render()).toBe(before);
    expect(mesh.hellos.at(-1)).toBe(revision);
  });

  test("goes down when told to, removes its interfaces, and stays enrolled", async () => {
    const { start, untilApplied, machine, mesh } = world;
    const first = start();
    await untilApplied();
    expect(await first.down({ forget: false })).toEqual({ removed: ["bkt-mesh-0"] });
    expect([await first.end, render()]).toEqual([{ code: "down" }, ""]);
    start({ token: null });
    await machine.until(() => expect(render()).toContain("bkt-mesh-0"));
    expect(mesh.model.desired().members).toHaveLength(1);
  });

  test("forgets everything when told to", async () => {
    const { start, untilApplied, machine } = world;
    const first = start();
    await untilApplied();
    await first.down({ forget: true });
    await first.end;
    expect([...machine.files.content.keys()]).toEqual([]);
  });

  test("takes everything down when the machine is removed, forgets its identity, and says so", async () => {
    const { plane, start, untilApplied, machine } = world;
    plane.addMesh(1);
    const agent = start();
    await untilApplied();
    plane.removeMachine();
    await machine.until(() => expect(render()).toBe(""));
    expect(await agent.end).toMatchObject({ code: "machine_removed", message: expect.stringContaining("join token") });
    expect([...machine.files.content.keys()]).toEqual([]);
  });

  test("learns of its removal also when it happened while the agent was away", async () => {
    const { plane, start, untilApplied, machine } = world;
    await (async () => {
      const first = start();
      await untilApplied();
      await first.stop();
    })();
    plane.removeMachine();
    const agent = start();
    await machine.until(() => expect(render()).toBe(""));
    expect(await agent.end).toMatchObject({ code: "machine_removed" });
  });

  test("shows its status and its peers", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    mesh.model.put(2, 0);
    mesh.model.putRow({ ...testPeer(4), candidates: [] });
    const agent = start();
    await untilApplied();
    await machine.clock.advance(1_000);
    const waiting = { state: "waiting", path: "none", endpoint: null };
    expect((await agent.peers()).peers).toMatchObject([
      {
        ...waiting,
        machine: "m2",
        reason: expect.stringContaining("1 endpoint of the other machine is being checked"),
      },
      { ...waiting, machine: "m4", reason: expect.stringContaining("has not told any endpoint") },
    ]);
    expect(await agent.status()).toMatchObject({
      machine: { machineId: plane.machineId, name: "host-1" },
      controlPlane: { url: plane.url, link: { state: "connected", transport: "websocket" } },
      meshes: [{ address: "10.1.0.200", peers: 2, peersUp: 0, link: { state: "connected" }, failures: [] }],
    });
  });

  test("follows a mesh and a machine that are renamed, on the same interface", async () => {
    const { mesh, plane, start, untilApplied, machine } = world;
    const agent = start();
    await untilApplied();
    mesh.change(mesh.model.rename(77));
    plane.machine.rename("other-name");
    await untilApplied();
    await machine.until(async () => expect((await agent.status()).machine?.name).toBe("other-name"));
    expect((await agent.status()).meshes).toMatchObject([{ name: "mesh-77", interfaceName: "bkt-mesh-0" }]);
  });

  test("opens its links side by side, in one request each", async () => {
    const { mesh, plane, start, untilApplied } = world;
    start();
    await untilApplied();
    expect([...plane.requests].sort()).toEqual([
      `POST ${AGENT_PATHS.enrolments} 201`,
      `UPGRADE ${AGENT_PATHS.machineSync} 101`,
      `UPGRADE ${AGENT_PATHS.meshSync(mesh.model.meshId)} 101`,
    ]);
  });
});
