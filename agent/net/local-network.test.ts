import { describe, expect, it } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { createLocalNetwork } from "./local-network.ts";

function setUp() {
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files: createMemoryFiles() });
  const eth0 = kernel.addLink("eth0", { isUp: true, addresses: ["192.168.1.7/24"] });
  const listInterfaceAddresses = () =>
    [...kernel.links].flatMap(([name, { addresses }]) => addresses.map((address) => `${name} ${address}`));
  const network = createLocalNetwork({ exec: kernel, clock, listInterfaceAddresses });
  const start = clock.now();
  const addresses: number[] = [];
  const tunnels: number[] = [];
  const watch = (signal = new AbortController().signal) =>
    network.watchChanges(
      {
        onAddresses: () => addresses.push(clock.now() - start),
        onTunnelGone: () => tunnels.push(clock.now() - start),
      },
      signal,
    );
  return { clock, kernel, eth0, network, watch, told: { addresses, tunnels } };
}

describe("the local network", () => {
  it("tells this machine's addresses", async () => {
    const { network } = setUp();

    expect(await network.addresses()).toEqual([{ interfaceName: "eth0", address: "192.168.1.7", prefixLength: 24 }]);
  });

  it("tells of a change once, when it has come to rest", async () => {
    const { clock, eth0, watch, told } = setUp();
    watch();

    await clock.advance(10_500);
    eth0.addresses = [];
    await clock.advance(1_000);
    eth0.addresses = ["192.168.2.9/24"];
    await clock.advance(60_000);

    expect(told).toEqual({ addresses: [13_000], tunnels: [] });
  });

  it("tells nothing of a flap, nor of interfaces of ours that come", async () => {
    const { clock, kernel, eth0, watch, told } = setUp();
    watch();

    eth0.addresses = [];
    await clock.advance(1_000);
    eth0.addresses = ["192.168.1.7/24"];
    kernel.addLink("bkt-a", { isUp: true, addresses: ["10.1.0.1/16"] });
    await clock.advance(60_000);

    expect(told).toEqual({ addresses: [], tunnels: [] });
  });

  it("tells at the next look that an interface of ours is gone, or an address of it", async () => {
    const { clock, kernel, watch, told } = setUp();
    const tunnel = kernel.addLink("bkt-a", { isUp: true, addresses: ["10.1.0.1/16", "fd00:1::1/64"] });
    watch();

    await clock.advance(10_500);
    tunnel.addresses = ["10.1.0.1/16"];
    await clock.advance(10_000);
    kernel.links.delete("bkt-a");
    await clock.advance(60_000);

    expect(told).toEqual({ addresses: [], tunnels: [11_000, 21_000] });
  });

  it("stops looking when it is told to", async () => {
    const { clock, watch } = setUp();
    const controller = new AbortController();
    watch(controller.signal);
    controller.abort();

    expect(clock.pending()).toBe(0);
  });
});
