// What a machine with networks behind it lets through, and that everything is as before when nobody needs it any more.
//
//   members ──bkt-a── machine ──eth0── 192.168.7.0/24, fd00:7::/64
import { describe, expect, it } from "vitest";
import type { Prefix } from "#schema/prefix";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import { silentLogger } from "../system/logger.ts";
import { createKeyFiles, deviceOf, MESH_A, MESH_B, ownKey } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createReconciler } from "./reconciler.ts";

const networkOf = (prefix: string, isMasquerading = false) => ({ prefix: prefix as Prefix, isMasquerading });
const LAN = networkOf("192.168.7.0/24");
const ANNOUNCER = deviceOf({ networks: [LAN] });
const OTHER = deviceOf({
  ...{ meshId: MESH_B, interfaceName: "bkt-b", listenPort: 51_821, ...ownKey(2) },
  addresses: ["10.2.0.1/16", "fd00:2::1/64"],
});
const MARKS = "/run/becket/forwarding.json";
const FORCE_IPV6 = "/proc/sys/net/ipv6/conf/eth0/force_forwarding";
const ALL_IPV4 = "/proc/sys/net/ipv4/conf/all/forwarding";

function setUp() {
  const files = createKeyFiles();
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files });
  kernel.addLink("eth0", { isUp: true, addresses: ["192.168.7.1/24", "fd00:7::1/64"] });
  kernel.addLink("eth1", { isUp: true, addresses: ["198.51.100.1/24"] });
  kernel.routes.push({ destination: "0.0.0.0/0", device: "eth1" });
  const start = () => createReconciler({ exec: kernel, files, clock, log: silentLogger, random: () => 1 });
  const reconciler = start();
  const forwarding = () => [...kernel.links].flatMap(([name, { isForwarding }]) => (isForwarding ? [name] : []));
  const guards = () => createForwardGuard(kernel).read();
  /** Interfaces that forward while nothing keeps their packets to where they may go. */
  const open = new Set<string>();
  kernel.onCommand = () => {
    const rules = [...(kernel.tables.get("inet becket")?.values() ?? [])].flatMap((chain) => chain.rules);
    for (const name of forwarding())
      if (!rules.some((rule) => rule.startsWith(`iifname "${name}"`) && rule.endsWith("drop"))) open.add(name);
  };
  return {
    ...{ files, clock, kernel, start, reconciler, forwarding, guards, open },
    failures: (meshId = MESH_A) => reconciler.state().meshes.get(meshId)?.failures,
    async bringTo(...devices: Parameters<typeof reconciler.setDesired>[0]) {
      reconciler.setDesired(devices);
      await reconciler.whenSettled();
    },
  };
}

describe("a machine with a network behind it", () => {
  it("forwards between the mesh and that network, and nothing else, for as long as it is announced there", async () => {
    const { files, kernel, bringTo, forwarding, guards, failures, open } = setUp();
    await bringTo(ANNOUNCER, OTHER);
    expect(failures()).toEqual([]);
    expect(forwarding()).toEqual(["eth0", "bkt-a"]);
    expect(await guards()).toEqual({
      meshes: new Map([["bkt-a", { to: [], networks: [LAN] }]]),
      lan: [{ name: "eth0", family: "ipv4", networks: [{ prefix: LAN.prefix, to: "bkt-a" }] }],
    });

    kernel.changes.length = 0;
    await bringTo(ANNOUNCER, OTHER);
    expect(kernel.changes).toEqual([]);

    await bringTo(deviceOf(), OTHER);
    expect(forwarding()).toEqual([]);
    expect(await guards()).toEqual({ meshes: new Map(), lan: [] });
    expect(files.content.has(MARKS)).toBe(false);
    expect([...open]).toEqual([]);
  });

  it("leaves nothing behind when it leaves the mesh, or everything is taken down", async () => {
    const { files, kernel, reconciler, bringTo, forwarding, open } = setUp();
    await bringTo(ANNOUNCER, OTHER);
    await bringTo(OTHER);
    expect(forwarding()).toEqual([]);
    expect(files.content.has(MARKS)).toBe(false);

    await bringTo(ANNOUNCER);
    await reconciler.removeEverything();
    expect(forwarding()).toEqual([]);
    expect(kernel.tables.size).toBe(0);
    expect(files.content.has(MARKS)).toBe(false);
    expect([...open]).toEqual([]);
  });

  it("is left alone by a restarted agent, which still knows what it switched on", async () => {
    const { kernel, start, reconciler, bringTo, forwarding } = setUp();
    await bringTo(ANNOUNCER);
    await reconciler.stop();
    kernel.changes.length = 0;

    const restarted = start();
    restarted.setDesired([ANNOUNCER]);
    await restarted.whenSettled();
    expect(kernel.changes).toEqual([]);

    // Somebody's firewall took all rules away while no agent looked.
    kernel.tables.clear();
    restarted.setDesired([deviceOf()]);
    await restarted.whenSettled();
    expect(forwarding()).toEqual([]);
  });

  it("knows what it switched on while there is either the note of it or the rules", async () => {
    const { files, bringTo, forwarding } = setUp();
    await bringTo(ANNOUNCER);
    const kept = files.content.get(MARKS);
    for (const damage of [() => files.content.delete(MARKS), () => files.content.set(MARKS, "[{")]) {
      damage();
      await bringTo(ANNOUNCER);
      expect(files.content.get(MARKS)).toBe(kept);
    }
    await bringTo(deviceOf());
    expect(forwarding()).toEqual([]);
  });

  it("is guarded again after somebody's firewall took all rules away", async () => {
    const { clock, kernel, bringTo, guards } = setUp();
    await bringTo(ANNOUNCER);
    const before = await guards();
    kernel.tables.clear();

    await clock.advance(30_000);

    expect(await guards()).toEqual(before);
  });

  it("lets the same network be announced in two meshes", async () => {
    const { bringTo, guards, forwarding } = setUp();
    const both = [ANNOUNCER, { ...OTHER, networks: [networkOf("192.168.7.0/25", true)] }];
    await bringTo(...both);
    expect((await guards()).lan).toEqual([
      {
        ...{ name: "eth0", family: "ipv4" },
        networks: [
          { prefix: "192.168.7.0/24", to: "bkt-a" },
          { prefix: "192.168.7.0/25", to: "bkt-b" },
        ],
      },
    ]);
    await bringTo(OTHER, ...both.slice(0, 1));
    expect(forwarding()).toEqual(["eth0", "bkt-a"]);
  });

  it("has it behind it in the other meshes, too, when it is a gateway", async () => {
    const { bringTo, guards } = setUp();
    const forwardsTo = ["bkt-a", "bkt-b"];
    await bringTo({ ...ANNOUNCER, forwardsTo }, { ...OTHER, forwardsTo });
    const { meshes, lan } = await guards();
    expect([...meshes.values()]).toEqual([
      { to: forwardsTo, networks: [LAN] },
      { to: forwardsTo, networks: [LAN] },
    ]);
    expect(lan[0]?.networks.map(({ to }) => to)).toEqual(["bkt-a", "bkt-b"]);
  });

  it("follows the kernel's way to the network", async () => {
    const { clock, kernel, bringTo, forwarding, open } = setUp();
    await bringTo(deviceOf({ networks: [networkOf("10.0.0.0/8")] }));
    expect(forwarding()).toEqual(["eth1", "bkt-a"]);
    kernel.routes.push({ destination: "10.5.0.0/16", device: "eth0" });
    await clock.advance(30_000);
    expect(forwarding()).toEqual(["eth0", "eth1", "bkt-a"]);
    kernel.routes.push({ destination: "10.0.0.0/8", device: "eth0" });
    await clock.advance(30_000);
    expect(forwarding()).toEqual(["eth0", "bkt-a"]);
    expect([...open]).toEqual([]);
  });

  it("takes a default route for the machine's own way out, and no other interface", async () => {
    const { bringTo, forwarding } = setUp();
    await bringTo(deviceOf({ networks: [networkOf("0.0.0.0/0", true)] }));
    expect(forwarding()).toEqual(["eth1", "bkt-a"]);
  });
});

describe("IPv6", () => {
  const device = deviceOf({ networks: [networkOf("fd00:7::/64")] });

  it("is forwarded where an interface can do so by itself", async () => {
    const { files, bringTo, guards, failures, forwarding } = setUp();
    files.content.set(FORCE_IPV6, "0\n");
    await bringTo(device);
    expect(files.content.get(FORCE_IPV6)).toBe("1\n");
    expect((await guards()).lan).toMatchObject([{ name: "eth0", family: "ipv6" }]);
    expect(forwarding()).toEqual(["bkt-a"]);
    expect(failures()).toEqual([]);

    await bringTo(deviceOf());
    expect(files.content.get(FORCE_IPV6)).toBe("0\n");
  });

  it("is not where the kernel knows all interfaces or none; the failure says what it takes", async () => {
    const { files, bringTo, guards, failures } = setUp();
    await bringTo(device);
    expect(failures()).toMatchObject([{ step: "lan.forward", code: "ipv6_not_forwarded" }]);

    files.content.set("/proc/sys/net/ipv6/conf/all/forwarding", "1\n");
    await bringTo(device);
    expect(failures()).toEqual([]);
    expect((await guards()).lan).toEqual([]);
  });
});

describe("a host that forwards by itself", () => {
  it("goes on as it did: no rules for its own interface, and nothing switched off afterwards", async () => {
    const { kernel, files, bringTo, guards, forwarding } = setUp();
    Object.assign(kernel.links.get("eth0") ?? {}, { isForwarding: true });
    files.content.set("/proc/sys/net/ipv4/conf/eth0/forwarding", "1\n");
    await bringTo(ANNOUNCER);
    expect((await guards()).lan).toEqual([]);
    expect(files.content.has(MARKS)).toBe(false);

    await bringTo(deviceOf());
    expect(forwarding()).toEqual(["eth0"]);
  });

  it("takes over what we switched on when it begins to", async () => {
    const { clock, files, bringTo, guards, forwarding } = setUp();
    await bringTo(ANNOUNCER);
    files.content.set(ALL_IPV4, "1\n");
    await clock.advance(30_000);
    expect((await guards()).lan).toEqual([]);
    expect(files.content.has(MARKS)).toBe(false);

    await bringTo(deviceOf());
    expect(forwarding()).toEqual(["eth0"]);
  });

  it("has the last word about an interface that it leaves out", async () => {
    const { files, bringTo, failures, forwarding } = setUp();
    files.content.set(ALL_IPV4, "1\n");
    await bringTo(ANNOUNCER);
    expect(failures()).toMatchObject([{ step: "lan.forward", code: "lan_not_forwarding" }]);
    expect(forwarding()).toEqual(["bkt-a"]);
  });
});

describe("where nftables takes no rules", () => {
  const withoutNft = (argv: readonly string[]) => (argv[0] === "nft" ? "Operation not permitted" : null);

  it("nothing is forwarded, and the mesh's failures say why, until there are rules", async () => {
    const { clock, kernel, bringTo, forwarding, failures, open } = setUp();
    kernel.fail = withoutNft;
    await bringTo(ANNOUNCER);
    expect(forwarding()).toEqual([]);
    expect(failures()).toMatchObject([
      { step: "link.forward", code: "forwarding_unguarded" },
      { step: "lan.forward", code: "forwarding_unguarded", message: expect.stringMatching(/^eth0 forwards nothing: /) },
    ]);

    kernel.fail = () => null;
    await clock.advance(30_000);
    expect(forwarding()).toEqual(["eth0", "bkt-a"]);
    expect(failures()).toEqual([]);
    expect([...open]).toEqual([]);
  });

  it("what was forwarded is no more when the rules are gone", async () => {
    const { kernel, bringTo, forwarding } = setUp();
    await bringTo(ANNOUNCER);
    kernel.tables.clear();
    kernel.fail = withoutNft;
    await bringTo(ANNOUNCER);
    expect(forwarding()).toEqual([]);
  });
});
