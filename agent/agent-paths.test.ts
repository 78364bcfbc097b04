// Two whole agents, each on its own machine, and the network between them.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TelemetryReport, ToMeshMessage } from "#schema/wire/messages";
import { createTwoMachines, type TwoMachines } from "./testing/two-machines.ts";

let world: TwoMachines;
beforeEach(async () => {
  world = await createTwoMachines();
});
afterEach(() => world.close());

async function join(): Promise<void> {
  world.one.start();
  world.other.start();
  await world.untilJoined();
}

const ONE = "192.0.2.200:51820";
const OTHER = "192.0.2.201:51820";

async function untilDirect(): Promise<void> {
  await world.until(() => {
    expect([world.one.peer().endpoint, world.other.peer().endpoint]).toEqual([OTHER, ONE]);
  });
}

const signalsOf = <T extends ToMeshMessage["type"]>(type: T) =>
  world.mesh.signals
    .map(({ message }) => message)
    .filter((message): message is Extract<ToMeshMessage, { type: T }> => message.type === type);

/** Sends until it comes out at the other end. */
async function untilHeard(text: string): Promise<void> {
  world.one.ping(text);
  await world.until(() => expect(world.other.machine.wireguard.received).toContain(text));
}

describe("two agents on one network", () => {
  test("find a direct path, prove it, and tell so", async () => {
    await join();
    await untilDirect();
    await untilHeard("hello");
    expect(world.one.explain()).toMatchObject({
      ...{ path: "direct", endpoint: OTHER, status: "up", reason: { code: "direct" } },
      candidates: [{ endpoint: OTHER, type: "host", outcome: "answered" }],
    });
    expect(world.plane.relay.sides()).toEqual([]);
    await world.until(() =>
      expect(signalsOf("link.report").flatMap(({ links }) => links)).toContainEqual(
        expect.objectContaining({ kind: "up", path: "direct", endpoint: OTHER }),
      ),
    );
  });

  test("are left as they are by an agent that restarts", async () => {
    await join();
    await untilDirect();
    await untilHeard("before");
    const [changes, endpoint] = [world.one.tunnelChanges().length, world.one.peer().endpoint];
    const { applied } = world.mesh;
    await world.one.machine.pass(1_000);
    await stopFirst();
    const count = applied.length;
    world.one.start({ token: null, url: null });
    await world.until(() => expect(applied.length).toBeGreaterThan(count));
    await untilHeard("after");
    await world.pass(20_000);
    expect(world.one.tunnelChanges().slice(changes)).toEqual([]);
    expect(world.one.peer().endpoint).toBe(endpoint);
    expect(world.one.explain()).toMatchObject({ path: "direct", endpoint: OTHER });
  });

  test("prove nothing while WireGuard does not know the peer, because it could not be told", async () => {
    const { kernel } = world.one.machine;
    kernel.fail = (argv) =>
      argv.includes("allowed-ips") ? "Unable to modify interface: Cannot allocate memory" : null;
    await join();
    await world.pass(10_000);
    expect(world.other.explain().path).not.toBe("direct");

    kernel.fail = () => null;
    await untilDirect();
  });

  test("keep their tunnel when the control plane goes away", async () => {
    await join();
    await untilDirect();
    await world.plane.goDown();
    await world.pass(30_000);
    await untilHeard("hello");
    expect(world.one.explain()).toMatchObject({ path: "direct", endpoint: OTHER });
  });
});

describe("two agents between which UDP does not pass", () => {
  beforeEach(() => {
    world.network.drops = () => true;
  });

  test("are relayed from the first packet on, which is not lost, and say why", async () => {
    await join();
    await untilHeard("first");
    expect(
      world.plane.relay
        .sides()
        .map(({ machineId }) => machineId)
        .sort(),
    ).toEqual([world.one.machineId, world.other.machineId].sort());
    expect(world.one.peer().endpoint).toMatch(/^127\.0\.0\.1:/);
    await world.until(() => expect(world.one.explain()).toMatchObject({ path: "relayed", status: "up" }));
    await world.until(() =>
      expect(world.one.explain()).toMatchObject({
        ...{ endpoint: null, reason: { code: "no_answer", message: expect.stringMatching(/^relayed: no answer/) } },
        candidates: [{ endpoint: OTHER, outcome: "no_answer" }],
        nextTryAt: expect.any(String),
      }),
    );
  });

  test("go over to the direct path when UDP passes, without losing what is under way", async () => {
    await join();
    await untilHeard("first");
    await world.pass(5_000);
    world.network.drops = () => false;
    const sent: string[] = [];
    for (let count = 0; count < 70; count++) {
      sent.push(`packet ${count}`);
      world.one.ping(`packet ${count}`);
      await world.pass(1_000);
    }
    await untilDirect();
    await world.until(() => expect(world.other.machine.wireguard.received).toEqual(expect.arrayContaining(sent)));
    expect(world.one.explain()).toMatchObject({ path: "direct", endpoint: OTHER });
    expect(signalsOf("link.report").flatMap(({ links }) => links)).toContainEqual(
      expect.objectContaining({ kind: "path_changed", path: "direct" }),
    );
  });

  test("tell why to whoever looks, while somebody looks", async () => {
    await join();
    await untilHeard("first");
    await world.pass(10_000);
    expect(signalsOf("telemetry.report")).toEqual([]);
    world.mesh.change({ type: "telemetry.watch", seconds: 5 });
    await world.pass(4_000);
    await world.until(() => expect(newestReport()).toMatchObject({ isSteady: true }));
    expect(newestReport()).toMatchObject({
      nat: null,
      peers: [{ path: "relayed", status: "up", reason: { code: "no_answer" }, latencyMs: expect.any(Number) }],
    });
    await world.pass(10_000);
    const { length } = signalsOf("telemetry.report");
    await world.pass(10_000);
    expect(signalsOf("telemetry.report")).toHaveLength(length);
  });

  test("stay on the relay when an agent restarts, on the same socket", async () => {
    await join();
    await untilHeard("first");
    await world.pass(2_000);
    const before = world.one.peer().endpoint;
    const changes = world.one.tunnelChanges().length;
    await stopFirst();
    world.one.start({ token: null, url: null });
    await world.pass(2_000);
    await untilHeard("second");
    expect(world.one.peer().endpoint).toBe(before);
    expect(world.one.tunnelChanges().slice(changes)).toEqual([]);
  });
});

describe("a direct path that dies", () => {
  async function sendForSeconds(count: number, text: string): Promise<void> {
    for (let index = 0; index < count; index++) {
      world.one.ping(`${text} ${index}`);
      await world.pass(1_000);
    }
  }

  test.each([-7_200_000, 7_200_000])("is noticed all the same when the clock is set by %i ms", async (byMs) => {
    await join();
    await untilDirect();
    await untilHeard("hello");
    world.clock.setWall(byMs);
    world.network.drops = () => true;
    await sendForSeconds(20, "packet");
    expect(world.one.explain().path).toBe("relayed");
    expect(Date.parse(world.one.explain().since ?? "")).toBeLessThanOrEqual(world.clock.wall());
    await untilHeard("through the relay");
  });

  test("is replaced by the relay while there is traffic, and comes back", async () => {
    await join();
    await untilDirect();
    await untilHeard("hello");
    world.network.drops = () => true;
    await sendForSeconds(20, "packet");
    expect(world.one.explain()).toMatchObject({
      path: "relayed",
      reason: { code: expect.stringMatching(/path_died|no_answer/) },
    });
    await untilHeard("through the relay");
    world.network.drops = () => false;
    await sendForSeconds(70, "back");
    await untilDirect();
  });
});

describe("an agent without nftables", () => {
  test("tells the others that it answers no checks, and reaches them all the same", async () => {
    world.one.machine.kernel.fail = (argv) => (argv[0] === "nft" ? "Error: Could not process rule" : null);
    await join();
    await world.until(() => {
      const row = world.mesh.model.desired().members.find(({ machineId }) => machineId === world.one.machineId);
      expect(row?.answersChecks).toBe(false);
    });
    await untilHeard("hello");
    const failures = world.mesh.applied.filter(({ machineId }) => machineId === world.one.machineId).at(-1)?.failures;
    expect(failures).toMatchObject([{ code: "checks_unavailable" }]);
  });
});

const newestReport = (): TelemetryReport | undefined => signalsOf("telemetry.report").at(-1);

async function stopFirst(): Promise<void> {
  const stopping = world.one.stop();
  await world.until(async () => expect(await Promise.race([stopping, Promise.resolve(null)])).not.toBeNull());
}
