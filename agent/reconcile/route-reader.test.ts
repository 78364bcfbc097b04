import { describe, expect, it } from "vitest";
import type { Prefix } from "#schema/prefix";
import { createIp } from "../net/ip.ts";
import { deviceOf } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import type { AnnouncedNetwork, DesiredDevice } from "./desired-device.ts";
import { createRouteReader } from "./route-reader.ts";

const networkOf = (prefix: string): AnnouncedNetwork => ({ prefix: prefix as Prefix, isMasquerading: false });

function setUp() {
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files: createMemoryFiles() });
  const ip = createIp(kernel);
  const reader = createRouteReader({ ip, clock });
  let reads: string[] = [];
  kernel.onCommand = (argv) => {
    if (argv.includes("route")) reads.push(argv.includes("-6") ? "ipv6" : "ipv4");
  };
  kernel.addLink("bkt-a", { isUp: true, addresses: ["10.1.0.1/16"] });
  return {
    clock,
    kernel,
    /** Which routes were read for these devices. */
    async readsFor(...devices: readonly DesiredDevice[]): Promise<readonly string[]> {
      reads = [];
      const links = (await ip.readLinks()).map((link) => ({
        ...{ ...link, isForwarding: false, guard: null },
        wireguard: { state: "absent" } as const,
      }));
      await reader.read(devices, Promise.resolve({ links }));
      return reads;
    },
    /** The same before the links are known. */
    async readsMeanwhile(...devices: readonly DesiredDevice[]): Promise<readonly string[]> {
      reads = [];
      await reader.read(devices, new Promise(() => {}));
      return reads;
    },
  };
}

describe("the reader of the machine's own routes", () => {
  it("reads them once while nothing turns on them, however often peers change", async () => {
    const { readsFor } = setUp();
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
    expect(await readsFor(deviceOf({ areRoutesKnown: false }))).toEqual([]);
    expect(await readsFor(deviceOf({ peers: [] }))).toEqual([]);
  });

  it("reads them while an address is missing, which they may be in the way of", async () => {
    const { kernel, readsFor } = setUp();
    await readsFor(deviceOf());
    const link = kernel.links.get("bkt-a");
    if (link !== undefined) link.addresses = [];
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
    kernel.links.delete("bkt-a");
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
  });

  it("reads none for an interface that nobody has given an address or a network", async () => {
    const { readsMeanwhile } = setUp();
    expect(await readsMeanwhile(deviceOf({ addresses: [] }))).toEqual([]);
  });

  it("waits for no look at the links where they are wanted whatever comes of it", async () => {
    const { readsMeanwhile } = setUp();
    expect(await readsMeanwhile(deviceOf())).toEqual(["ipv4"]);
  });

  it("reads them when other networks are announced, those of IPv6 only for IPv6 networks", async () => {
    const { readsFor } = setUp();
    await readsFor(deviceOf());
    const [lan, lan6] = [networkOf("192.168.7.0/24"), networkOf("fd00:7::/64")];
    expect(await readsFor(deviceOf({ networks: [lan] }))).toEqual(["ipv4"]);
    expect(await readsFor(deviceOf({ networks: [lan] }))).toEqual([]);
    expect(await readsFor(deviceOf({ networks: [lan, lan6] }))).toEqual(["ipv4", "ipv6"]);
  });

  it("reads them with each look at the system when nothing happens", async () => {
    const { clock, readsFor } = setUp();
    await readsFor(deviceOf());
    await clock.advance(19_999);
    expect(await readsFor(deviceOf())).toEqual([]);
    await clock.advance(1);
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
  });

  it("tries again after a failure", async () => {
    const { kernel, readsFor } = setUp();
    kernel.fail = (argv) => (argv.includes("route") ? "no memory" : null);
    await expect(readsFor(deviceOf())).rejects.toThrow("no memory");
    kernel.fail = () => null;
    expect(await readsFor(deviceOf())).toEqual(["ipv4"]);
  });
});
