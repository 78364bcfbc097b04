import { describe, expect, it } from "vitest";
import { silentLogger } from "../system/logger.ts";
import { keyOf } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import type { WireGuardPeer } from "../wireguard/parse-dump.ts";
import { createSampler, type PeerSample } from "./sampler.ts";

const KEY = keyOf("P");
const STATISTICS = "/sys/class/net/bkt-a/statistics";

function setUp() {
  const clock = createFakeClock();
  const files = createMemoryFiles({ [`${STATISTICS}/rx_packets`]: "0\n", [`${STATISTICS}/tx_packets`]: "0\n" });
  const counters = { rx: 0, tx: 0 };
  const system = { looks: 0, isGone: false, fails: false };
  const seen: PeerSample[] = [];
  let packets = 0;
  const sampler = createSampler({
    ...{ interfaceName: "bkt-a", files, clock, log: silentLogger },
    async readDevice() {
      system.looks++;
      if (system.fails) throw new Error("wg does not answer");
      if (system.isGone) return null;
      const { rx: receivedBytes, tx: sentBytes } = counters;
      const traffic = { receivedBytes, sentBytes, latestHandshakeMs: null, keepaliveSeconds: 0 };
      const peer: WireGuardPeer = { publicKey: KEY, endpoint: null, allowedIps: [], ...traffic };
      return { privateKey: null, publicKey: null, listenPort: 51_820, peers: [peer] };
    },
    onSamples: (samples) => seen.push(...samples),
  });
  return {
    ...{ clock, files, system, seen, sampler },
    pass(rx: number, tx: number) {
      counters.rx += rx;
      counters.tx += tx;
      packets++;
      files.content.set(`${STATISTICS}/rx_packets`, `${packets}\n`);
    },
  };
}

describe("the sampler", () => {
  it("starts no program while nothing passes the interface", async () => {
    const { clock, sampler, system } = setUp();
    sampler.start();
    await clock.advance(2_000);
    const { looks } = system;
    await clock.advance(3_600_000);
    expect(system.looks).toBe(looks);
  });

  it("looks once a second while something passes, and once more afterwards", async () => {
    const { clock, sampler, system, pass } = setUp();
    sampler.start();
    await clock.advance(5_000);
    const { looks } = system;
    for (let second = 0; second < 10; second++) {
      for (let packet = 0; packet < 50; packet++) pass(100, 100);
      await clock.advance(1_000);
    }
    expect(system.looks - looks).toBe(10);
    await clock.advance(60_000);
    expect(system.looks - looks).toBe(11);
  });

  it("says how much passed since the look before, and how fast that was", async () => {
    const { clock, sampler, seen, pass } = setUp();
    pass(5_000, 7_000);
    sampler.start();
    await clock.advance(1_000);
    // What passed before this agent was here is nobody's rate.
    expect(seen.at(-1)).toMatchObject({ sentBytes: 0, receivedBytes: 0, rxBytesPerSecond: 0, txBytesPerSecond: 0 });
    pass(2_000, 300);
    await clock.advance(1_000);
    const sample = { receivedBytes: 2_000, sentBytes: 300, rxBytesPerSecond: 2_000, txBytesPerSecond: 300 };
    expect(seen.at(-1)).toMatchObject(sample);
    expect(sampler.newest(KEY)).toMatchObject(sample);
    await clock.advance(2_000);
    expect(sampler.newest(KEY)).toMatchObject({ rxBytesPerSecond: 0, txBytesPerSecond: 0 });
  });

  it("reckons the rate over the time that really passed", async () => {
    const { clock, sampler, pass } = setUp();
    sampler.start();
    await clock.advance(10_000);
    pass(1_000, 0);
    await clock.advance(1_000);
    const idle = sampler.newest(KEY)?.rxBytesPerSecond ?? 0;
    expect(idle).toBeGreaterThan(90);
    expect(idle).toBeLessThan(1_001);
  });

  it("looks every second while it is watched, and no longer", async () => {
    const { clock, sampler, system } = setUp();
    sampler.start();
    await clock.advance(5_000);
    const { looks } = system;
    sampler.watchUntil(clock.now() + 10_000);
    sampler.watchUntil(clock.now() + 1_000);
    await clock.advance(60_000);
    expect(system.looks - looks).toBeGreaterThan(8);
    expect(system.looks - looks).toBeLessThan(12);
  });

  it("does not take counters that began anew for traffic", async () => {
    const { clock, sampler, seen, pass } = setUp();
    pass(5_000, 5_000);
    sampler.start();
    await clock.advance(1_000);
    pass(-4_900, -4_900);
    await clock.advance(1_000);
    expect(seen.at(-1)).toMatchObject({ sentBytes: 0, receivedBytes: 0, rxBytesPerSecond: 0 });
  });

  it("goes on when WireGuard or the counters can't be read for a while", async () => {
    const { clock, sampler, system, files, seen, pass } = setUp();
    sampler.start();
    await clock.advance(2_000);
    const { length } = seen;
    pass(1, 1);
    system.fails = true;
    await clock.advance(2_000);
    system.fails = false;
    system.isGone = true;
    pass(1, 1);
    await clock.advance(2_000);
    system.isGone = false;
    files.failReads = "EIO";
    await clock.advance(2_000);
    expect(seen).toHaveLength(length);
    files.failReads = null;
    pass(1_000, 1_000);
    await clock.advance(2_000);
    expect(seen.length).toBeGreaterThan(length);
  });

  it("ends", async () => {
    const { clock, sampler, system, pass } = setUp();
    sampler.start();
    await clock.advance(1_000);
    sampler.stop();
    const { looks } = system;
    pass(1, 1);
    await clock.advance(10_000);
    expect([system.looks, clock.pending()]).toEqual([looks, 0]);
  });
});
