import { describe, expect, it } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { createLocalNetwork } from "./local-network.ts";

function setUp() {
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files: createMemoryFiles() });
  const eth0 = kernel.addLink("eth0", { isUp: true, addresses: ["192.168.1.7/24"] });
  const readFingerprint = (ignored: string) =>
    [...kernel.links]
      .filter(([name]) => !name.startsWith(ignored))
      .map(([, link]) => link.addresses)
      .join(";");
  const network = createLocalNetwork({ exec: kernel, clock, readFingerprint });
  return { clock, kernel, eth0, network };
}

describe("the local network", () => {
  it("tells this machine's addresses", async () => {
    const { network } = setUp();

    expect(await network.addresses()).toEqual([{ interfaceName: "eth0", address: "192.168.1.7", prefixLength: 24 }]);
  });

  it("tells of a change once, when it has come to rest", async () => {
    const { clock, eth0, network } = setUp();
    const changes: number[] = [];
    const start = clock.now();
    network.watchChanges(() => changes.push(clock.now() - start), new AbortController().signal);

    await clock.advance(10_500);
    eth0.addresses = [];
    await clock.advance(1_000);
    eth0.addresses = ["192.168.2.9/24"];
    await clock.advance(60_000);

    expect(changes).toEqual([13_000]);
  });

  it("tells nothing of a flap, nor of our own interfaces", async () => {
    const { clock, kernel, eth0, network } = setUp();
    let changes = 0;
    network.watchChanges(() => changes++, new AbortController().signal);

    eth0.addresses = [];
    await clock.advance(1_000);
    eth0.addresses = ["192.168.1.7/24"];
    kernel.addLink("bkt-a", { isUp: true, addresses: ["10.1.0.1/16"] });
    await clock.advance(60_000);

    expect(changes).toBe(0);
  });

  it("stops looking when it is told to", async () => {
    const { clock, network } = setUp();
    const controller = new AbortController();
    network.watchChanges(() => undefined, controller.signal);
    controller.abort();

    expect(clock.pending()).toBe(0);
  });
});
