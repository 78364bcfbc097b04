// What a gateway lets through, and in which order: the rule that keeps packets in the mesh stands whenever its interface forwards.
import { describe, expect, it } from "vitest";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import { silentLogger } from "../system/logger.ts";
import { createKeyFiles, deviceOf, MESH_A, MESH_B, ownKey, peerOf } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createReconciler } from "./reconciler.ts";

const GATEWAY = deviceOf({ forwardsTo: ["bkt-a"] });
const MEMBER = deviceOf();
const OTHER = deviceOf({
  ...{ meshId: MESH_B, interfaceName: "bkt-b", listenPort: 51_821, ...ownKey(2) },
  addresses: ["10.2.0.1/16", "fd00:2::1/64"],
});
const IPV6_FORWARDING = "/proc/sys/net/ipv6/conf/all/forwarding";
const IPV4_DEFAULT = "/proc/sys/net/ipv4/conf/default/forwarding";

function setUp() {
  const files = createKeyFiles();
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files });
  const start = () => createReconciler({ exec: kernel, files, clock, log: silentLogger, random: () => 1 });
  const reconciler = start();
  const forwarding = () => [...kernel.links].flatMap(([name, { isForwarding }]) => (isForwarding ? [name] : []));
  const guards = async () =>
    Object.fromEntries([...(await createForwardGuard(kernel).read()).meshes].map(([name, { to }]) => [name, to]));
  const open: string[] = [];
  kernel.onCommand = () => {
    for (const name of forwarding())
      if (!kernel.tables.get("inet becket")?.get(`forward-${name}`)?.rules.length) open.push(name);
  };
  return {
    ...{ files, clock, kernel, start, reconciler, forwarding, guards, open },
    failures: () => reconciler.state().meshes.get(MESH_A)?.failures,
    async bringTo(...devices: Parameters<typeof reconciler.setDesired>[0]) {
      reconciler.setDesired(devices);
      await reconciler.whenSettled();
    },
  };
}

describe("a gateway", () => {
  it("forwards on the mesh's interface, back into the mesh only, for as long as it is one", async () => {
    const { kernel, bringTo, forwarding, guards, open } = setUp();
    await bringTo(GATEWAY, OTHER);
    expect(forwarding()).toEqual(["bkt-a"]);
    expect(await guards()).toEqual({ "bkt-a": ["bkt-a"] });

    kernel.changes.length = 0;
    await bringTo(GATEWAY, OTHER);
    expect(kernel.changes).toEqual([]);

    await bringTo(MEMBER, OTHER);
    expect(forwarding()).toEqual([]);
    expect(await guards()).toEqual({});
    expect(open).toEqual([]);
  });

  it("is left alone by a restarted agent", async () => {
    const { kernel, start, reconciler, bringTo } = setUp();
    await bringTo(GATEWAY);
    await reconciler.stop();
    kernel.changes.length = 0;

    const restarted = start();
    restarted.setDesired([GATEWAY]);
    await restarted.whenSettled();

    expect(kernel.changes).toEqual([]);
  });

  it("lets through to other places when it shall, and no more when it shall not", async () => {
    const { bringTo, guards } = setUp();
    await bringTo(GATEWAY);
    await bringTo({ ...GATEWAY, forwardsTo: ["bkt-a", "eth0"] });
    expect(await guards()).toEqual({ "bkt-a": ["bkt-a", "eth0"] });
    await bringTo(GATEWAY);
    expect(await guards()).toEqual({ "bkt-a": ["bkt-a"] });
  });

  it("is guarded again after somebody's firewall took all rules away", async () => {
    const { clock, kernel, bringTo, guards } = setUp();
    await bringTo(GATEWAY);
    kernel.tables.clear();

    await clock.advance(30_000);

    expect(await guards()).toEqual({ "bkt-a": ["bkt-a"] });
  });

  it("leaves no rule behind when it leaves the mesh", async () => {
    const { bringTo, guards, open } = setUp();
    await bringTo(GATEWAY, OTHER);

    await bringTo(OTHER);

    expect(await guards()).toEqual({});
    expect(open).toEqual([]);
  });

  it("guards its interface also when that has to be made anew", async () => {
    const { kernel, bringTo, forwarding, guards, open } = setUp();
    await bringTo(GATEWAY);
    Object.assign(kernel.device("bkt-a"), { listenPort: 0 });

    await bringTo(GATEWAY);

    expect(forwarding()).toEqual(["bkt-a"]);
    expect(await guards()).toEqual({ "bkt-a": ["bkt-a"] });
    expect(open).toEqual([]);
  });
});

describe("where nftables takes no rules", () => {
  const withoutNft = (argv: readonly string[]) => (argv[0] === "nft" ? "Operation not permitted" : null);

  it("a gateway doesn't forward, and says why, until there are rules", async () => {
    const { clock, kernel, bringTo, forwarding, failures, open } = setUp();
    kernel.fail = withoutNft;
    await bringTo(GATEWAY);

    expect(forwarding()).toEqual([]);
    expect(failures()).toMatchObject([
      {
        step: "link.forward",
        code: "forwarding_unguarded",
        message: expect.stringMatching(/^bkt-a forwards nothing: nftables .*Operation not permitted/),
      },
    ]);

    kernel.fail = () => null;
    await clock.advance(30_000);
    expect(forwarding()).toEqual(["bkt-a"]);
    expect(failures()).toEqual([]);
    expect(open).toEqual([]);
  });

  it("a gateway stops forwarding when its rule is gone", async () => {
    const { kernel, bringTo, forwarding } = setUp();
    await bringTo(GATEWAY);
    kernel.tables.clear();
    kernel.fail = withoutNft;

    await bringTo(GATEWAY);

    expect(forwarding()).toEqual([]);
  });

  it("a machine that is no gateway lacks nothing", async () => {
    const { kernel, bringTo, failures } = setUp();
    kernel.fail = withoutNft;
    await bringTo(MEMBER);
    expect(failures()).toEqual([]);
  });
});

describe("a host that forwards by itself", () => {
  it("has forwarding off on an interface of ours from the beginning, where new ones would have it on", async () => {
    const { files, kernel, bringTo, forwarding } = setUp();
    files.content.set(IPV4_DEFAULT, "1\n");
    kernel.forwardsByDefault = true;
    const before: string[][] = [];
    const { onCommand } = kernel;
    kernel.onCommand = (argv) => {
      onCommand(argv);
      if (argv.includes("peer")) before.push(forwarding());
    };

    await bringTo(deviceOf({ peers: [peerOf("P", 2)] }));

    expect(before).toHaveLength(1);
    expect(before.flat()).toEqual([]);
  });

  it("keeps what comes from a mesh from everywhere by IPv6, which no interface can forward alone", async () => {
    const { files, kernel, bringTo, guards } = setUp();
    files.content.set(IPV6_FORWARDING, "1\n");
    await bringTo(GATEWAY, OTHER);
    expect(await guards()).toEqual({ "bkt-a": ["bkt-a"], "bkt-b": [] });

    kernel.changes.length = 0;
    await bringTo(GATEWAY, OTHER);
    expect(kernel.changes).toEqual([]);

    await bringTo(MEMBER, OTHER);
    expect(await guards()).toEqual({ "bkt-a": [], "bkt-b": [] });
  });
});
