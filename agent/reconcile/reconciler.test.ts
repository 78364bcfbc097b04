import { describe, expect, it } from "vitest";
import { deviceOf, keyOf, MESH_A, MESH_B, ownKey, peerOf } from "../testing/desired-devices.ts";
import { openReconciler } from "../testing/open-reconciler.ts";
import { nudgesAfterMs } from "./peer-memory.ts";

const deviceB = deviceOf({
  meshId: MESH_B,
  interfaceName: "bkt-b",
  listenPort: 51_821,
  ...ownKey(2),
  addresses: ["10.2.0.1/16", "fd00:2::1/64"],
});

describe("the reconciler", () => {
  it("does nothing before it is told what there should be", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    kernel.addLink("bkt-a", { kind: "wireguard", alias: `becket ${MESH_A}` });

    await clock.advance(120_000);
    await reconciler.whenSettled();

    expect(kernel.changes).toEqual([]);
  });

  it("goes on with the newest desired state when several come while it works", async () => {
    const { kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    reconciler.setDesired([deviceOf({ peers: [peerOf("Q", 3)] })]);
    reconciler.setDesired([deviceOf({ peers: [peerOf("R", 4)] })]);

    await reconciler.whenSettled();

    expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("R")]);
    expect(kernel.changes.join("\n")).not.toContain(keyOf("Q"));
  });

  it("tells nobody that a state is there while a newer one has stopped the work on it half-way", async () => {
    const { kernel, reconciler } = openReconciler();
    const device = deviceOf({ peers: [peerOf("P", 2)] });
    let isChanged = false;
    kernel.onCommand = (argv) => {
      if (isChanged || argv[0] !== "ip" || argv[2] !== "add") return;
      isChanged = true;
      reconciler.setDesired([{ ...device, peers: [peerOf("P", 2, { keepaliveSeconds: 55 })] }]);
    };

    reconciler.setDesired([device]);
    await reconciler.whenSettled();

    expect(isChanged).toBe(true);
    expect(kernel.peer("bkt-a", keyOf("P")).keepaliveSeconds).toBe(55);
  });

  it("gets on even when the desired state changes during every command", async () => {
    const { kernel, reconciler } = openReconciler();
    let left = 60;
    kernel.onCommand = () => {
      if (left-- > 0) reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    };
    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();

    expect(kernel.links.get("bkt-a")?.isUp).toBe(true);
  });

  it("comes to the last step also while the first one is never done, because what is desired changes all the time", async () => {
    const { kernel, reconciler } = openReconciler();
    const changeTo = (mtuBytes: number) => reconciler.setDesired([deviceOf({ mtuBytes, peers: [peerOf("P", 2)] })]);
    let changes = 0;
    let changesBeforePeer = 0;
    kernel.onCommand = (argv) => {
      if (kernel.links.get("bkt-a")?.device?.peers.size !== 1) changesBeforePeer = changes;
      // The link is configured before peers come.
      if (argv.includes("-force") && changes < 50) changeTo(1_400 + (changes++ % 2));
    };
    changeTo(1_420);
    await reconciler.whenSettled();

    expect(kernel.device("bkt-a").peers.size).toBe(1);
    expect(changesBeforePeer).toBeLessThan(5);
  });

  it("never runs two commands that change one interface at the same time", async () => {
    const { kernel, reconciler } = openReconciler();
    let active = 0;
    kernel.onCommand = async (argv) => {
      if (argv[1] !== "set" && argv[1] !== "-force") return;
      expect(++active).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      active--;
    };
    for (const letter of ["P", "Q", "R", "S"]) {
      reconciler.setDesired([deviceOf({ peers: [peerOf(letter, 2)] })]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reconciler.whenSettled();

    expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("S")]);
  });

  it("finishes one mesh while another fails, and keeps the failure and its time until it is mended", async () => {
    const { clock, kernel, reconciler, states, failuresOf } = openReconciler();
    kernel.takenPorts.add(51_820);
    const since = new Date(clock.now()).toISOString();

    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] }), deviceB]);
    await reconciler.whenSettled();
    await clock.advance(3_000);

    expect(kernel.device("bkt-b").listenPort).toBe(51_821);
    expect(failuresOf(MESH_B)).toEqual([]);
    expect(failuresOf(MESH_A)).toEqual([
      {
        step: "device.configure",
        code: "port_in_use",
        message: expect.stringContaining("Address already in use"),
        since,
      },
    ]);
    expect(states).toHaveLength(1);

    kernel.takenPorts.clear();
    await clock.advance(30_000);

    expect(kernel.device("bkt-a").listenPort).toBe(51_820);
    expect(failuresOf(MESH_A)).toEqual([]);
    expect(states).toHaveLength(2);
  });

  it("says that WireGuard has the peers when it has, whatever else fails", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    const hasPeers = () => reconciler.state().meshes.get(MESH_A)?.arePeersApplied;
    const bring = async () => {
      reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
      await reconciler.whenSettled();
      return hasPeers();
    };
    kernel.takenPorts.add(51_820);
    kernel.fail = (argv) => (argv.includes("type") ? "RTNETLINK answers: Operation not permitted" : null);
    expect(await bring()).toBe(false);
    kernel.fail = (argv) => (argv.includes("allowed-ips") ? "Operation not permitted" : null);
    expect(await bring()).toBe(false);
    kernel.fail = () => null;

    await clock.advance(30_000);

    expect(hasPeers()).toBe(true);
    expect(reconciler.state().meshes.get(MESH_A)?.failures).toMatchObject([{ code: "port_in_use" }]);
  });

  it("removes a peer even when another step of its mesh fails", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2), peerOf("Q", 3)] })]);
    await reconciler.whenSettled();
    kernel.fail = (argv) => (argv.includes("mtu") ? "RTNETLINK answers: Invalid argument" : null);

    reconciler.setDesired([deviceOf({ mtuBytes: 1_000_000, peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();

    expect(failuresOf(MESH_A)).toMatchObject([{ step: "link.configure", code: "command_failed" }]);
    expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("P")]);
  });

  it("works over IPv4 where the host has no IPv6, and says what is missing", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();
    kernel.fail = (argv) => (argv.includes("fd00:1::1/64") ? "RTNETLINK answers: Permission denied" : null);

    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();

    expect(kernel.links.get("bkt-a")).toMatchObject({ isUp: true, addresses: ["10.1.0.1/16"] });
    expect(failuresOf(MESH_A)).toMatchObject([{ step: "link.configure", code: "command_failed" }]);
  });

  it("tries again later and later, at most every 30 s", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    const start = clock.now();
    const tries: number[] = [];
    kernel.fail = (argv) => {
      if (argv[1] !== "link") return null;
      tries.push(clock.now() - start);
      return "RTNETLINK answers: Operation not permitted";
    };

    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();
    await clock.advance(100_000);

    expect(tries).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500]);
  });

  it("says that the system cannot be read, and recovers", async () => {
    const { clock, kernel, reconciler, failuresOf } = openReconciler();
    kernel.fail = () => "Cannot open netlink socket";
    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();
    expect(failuresOf(MESH_A)).toMatchObject([{ step: "system.observe", code: "command_failed" }]);

    kernel.fail = () => null;
    await clock.advance(500);

    expect(failuresOf(MESH_A)).toEqual([]);
    expect(kernel.links.get("bkt-a")?.isUp).toBe(true);
  });

  it("leaves a WireGuard alone that does not answer with sense", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();
    kernel.changes.length = 0;
    kernel.fail = (argv) => (argv[1] === "show" ? "Unable to access interface: Interrupted" : null);

    reconciler.setDesired([deviceOf({ peers: [peerOf("Q", 3)] })]);
    await reconciler.whenSettled();

    expect(failuresOf(MESH_A)).toMatchObject([{ step: "device.configure", code: "device_unreadable" }]);
    expect(kernel.changes).toEqual([]);
  });

  it("refuses a key file that does not hold the key that the others know", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();

    reconciler.setDesired([deviceOf({ publicKey: keyOf("Z") })]);
    await reconciler.whenSettled();

    expect(failuresOf(MESH_A)).toMatchObject([{ step: "device.configure", code: "key_mismatch" }]);
    expect(kernel.device("bkt-a").publicKey).toBeNull();
  });

  it("does not take over a network that the machine already reaches elsewhere, and brings up the rest", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();
    kernel.routes.push({ destination: "10.0.0.0/8", device: "eth0" }, { destination: "0.0.0.0/0", device: "eth0" });

    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();

    expect(kernel.links.get("bkt-a")?.addresses).toEqual(["fd00:1::1/64"]);
    expect(failuresOf(MESH_A)).toMatchObject([
      { code: "route_overlap", message: "10.1.0.0/16 overlaps 10.0.0.0/8, which this machine reaches by eth0" },
    ]);
  });

  it("keeps its address when somebody adds an overlapping route later, and reports it", async () => {
    const { clock, kernel, reconciler, failuresOf } = openReconciler();
    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();
    kernel.routes.push({ destination: "10.1.2.0/24", device: "eth0" });

    await clock.advance(30_000);

    expect(kernel.links.get("bkt-a")?.addresses).toEqual(["10.1.0.1/16", "fd00:1::1/64"]);
    expect(failuresOf(MESH_A)).toMatchObject([{ code: "route_overlap" }]);
  });

  it("does not touch an interface of its name that is not its own", async () => {
    const { kernel, reconciler, failuresOf } = openReconciler();
    kernel.addLink("bkt-a", { kind: "dummy", isUp: true, addresses: ["10.9.0.1/24"] });

    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();
    expect(kernel.changes).toEqual([]);
    await reconciler.removeEverything();

    expect(kernel.changes.filter((command) => !command.includes("delete table inet becket"))).toEqual([]);
    expect(failuresOf(MESH_A)).toEqual([]);
    expect(kernel.links.has("bkt-a")).toBe(true);
  });

  it("takes the packet rules away together with the interfaces", async () => {
    const { kernel, reconciler } = openReconciler();
    kernel.tables.set("inet becket", new Map()).set("inet theirs", new Map());
    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();

    await reconciler.removeEverything();

    expect([...kernel.tables.keys()]).toEqual(["inet theirs"]);
  });

  it("leaves the interface of a mesh that it is in, but does not know the state of", async () => {
    const { kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf(), deviceB]);
    await reconciler.whenSettled();

    reconciler.setDesired([deviceB], { keep: [MESH_A] });
    await reconciler.whenSettled();
    expect([...kernel.links.keys()]).toEqual(["lo", "bkt-a", "bkt-b"]);

    reconciler.setDesired([deviceB]);
    await reconciler.whenSettled();
    expect([...kernel.links.keys()]).toEqual(["lo", "bkt-b"]);
  });

  it("mends what somebody changed without being told", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();
    kernel.device("bkt-a").peers.clear();

    await clock.advance(30_000);

    expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("P")]);
  });

  it("nudges a new peer that does not answer a few times, and then leaves it to WireGuard", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    const start = clock.now();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();
    const nudges: number[] = [];
    kernel.onCommand = (argv) => {
      if (argv.join(" ").includes(`peer ${keyOf("P")} remove peer ${keyOf("P")} `)) nudges.push(clock.now() - start);
    };

    await clock.advance(120_000);

    expect(nudges).toEqual(nudgesAfterMs(keyOf("P")));
    expect(kernel.peer("bkt-a", keyOf("P"))).toMatchObject({ keepaliveSeconds: 25, endpoint: "192.0.2.2:51820" });
  });

  it("does not cut a session that began after the look at the system", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();
    const peer = kernel.peer("bkt-a", keyOf("P"));
    let looks = 0;
    kernel.onCommand = (argv) => {
      if (argv[0] !== "wg" || argv.at(-1) !== "dump") return;
      looks += 1;
      // The first look found it silent, so a nudge is planned; then it answers.
      if (looks === 2) Object.assign(peer, { latestHandshakeMs: clock.now(), receivedBytes: 92 });
    };

    await clock.advance(10_000);

    expect(looks).toBeGreaterThanOrEqual(2);
    expect(kernel.peer("bkt-a", keyOf("P"))).toBe(peer);
  });

  it("stops nudging as soon as the peer answers", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
    await reconciler.whenSettled();
    await clock.advance(300);
    const peer = kernel.peer("bkt-a", keyOf("P"));
    Object.assign(peer, { latestHandshakeMs: clock.now(), receivedBytes: 92 });

    await clock.advance(120_000);

    expect(kernel.peer("bkt-a", keyOf("P"))).toBe(peer);
  });

  it("shakes hands again once with a peer whose interface was made anew", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    const peersOf = (deviceEpoch: string) => [peerOf("P", 2, { deviceEpoch })];
    reconciler.setDesired([deviceOf({ peers: peersOf("first") })]);
    await reconciler.whenSettled();
    const before = kernel.peer("bkt-a", keyOf("P"));
    Object.assign(before, { latestHandshakeMs: clock.now(), receivedBytes: 92 });
    await clock.advance(10_000);

    reconciler.setDesired([deviceOf({ peers: peersOf("second") })]);
    await reconciler.whenSettled();
    const after = kernel.peer("bkt-a", keyOf("P"));
    expect(after).not.toBe(before);

    Object.assign(after, { latestHandshakeMs: clock.now(), receivedBytes: 92 });
    await clock.advance(120_000);
    expect(kernel.peer("bkt-a", keyOf("P"))).toBe(after);
  });

  it("reads the system once for all who ask within a second", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    let reads = 0;
    kernel.onCommand = () => {
      reads++;
    };

    await Promise.all([reconciler.observe(), reconciler.observe()]);
    await clock.advance(999);
    await reconciler.observe();
    expect(reads).toBe(1);

    await clock.advance(1);
    await reconciler.observe();
    expect(reads).toBe(2);
  });

  it("removes everything of its own, and says what it could not remove", async () => {
    const { kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf(), deviceB]);
    await reconciler.whenSettled();
    kernel.fail = (argv) =>
      argv.join(" ") === "ip link delete dev bkt-b" ? "RTNETLINK answers: Operation not permitted" : null;

    await expect(reconciler.removeEverything()).rejects.toThrow(/could not remove bkt-b: .*not permitted/);
    expect([...kernel.links.keys()]).toEqual(["lo", "bkt-b"]);

    kernel.fail = () => null;
    await reconciler.removeEverything();
    expect([...kernel.links.keys()]).toEqual(["lo"]);
  });

  it("leaves the system as it is when it stops, and does nothing afterwards", async () => {
    const { clock, kernel, reconciler } = openReconciler();
    reconciler.setDesired([deviceOf()]);
    await reconciler.whenSettled();
    const before = kernel.render();

    await reconciler.stop();
    reconciler.setDesired([]);
    await reconciler.whenSettled();
    await clock.advance(60_000);

    expect(kernel.render()).toBe(before);
    expect(clock.pending()).toBe(0);
  });
});
