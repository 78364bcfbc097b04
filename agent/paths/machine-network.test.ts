import { describe, expect, it } from "vitest";
import type { Ipv4 } from "#schema/address";
import type { NatReport, NatSummary } from "#schema/nat";
import { ok } from "#schema/result";
import type { MeasureOptions, NatProber } from "../nat/nat-prober.ts";
import type { PortMapper } from "../net/port-mapper.ts";
import type { StunClient } from "../stun/stun-client.ts";
import { silentLogger } from "../system/logger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMachineNetwork, type ProberView, type Voice } from "./machine-network.ts";

const CLIENT: StunClient = { binding: async () => null, ask: async () => ({ kind: "silent" }) };
const ADDRESS = "198.51.100.7" as Ipv4;
/** As every quick look: without the filtering. */
const QUICK: NatSummary = {
  mapping: "endpoint-independent",
  filtering: "unknown",
  isUdpOpen: true,
  publicAddress: ADDRESS,
};
const SERVER = "stun.example.org:3478";

interface Measurement extends MeasureOptions {
  readonly voice: Voice;
  finish(changes?: Partial<NatReport>): void;
  fail(error: Error): void;
}

function setUp(changes: { ownStunServers?: string[] } = {}) {
  const clock = createFakeClock();
  const measurements: Measurement[] = [];
  const lifetimes: { readonly signal: AbortSignal; finish(seconds: number): void }[] = [];
  const mapper = { ports: [] as readonly number[], networkChanges: 0, isStopped: false };
  const told = { count: 0 };
  let view: ProberView | null = null;
  const portMapper: PortMapper = {
    start: (ports) => {
      mapper.ports = ports;
    },
    state: () => ({ protocols: ["pcp"], mappings: [], problem: null }),
    networkChanged: () => mapper.networkChanges++,
    stop: async () => {
      mapper.isStopped = true;
    },
  };
  const toReport = (more: Partial<NatReport>): NatReport => ({
    at: new Date(clock.now()).toISOString(),
    ...{ udp: { ipv4: true, ipv6: false }, mapping: QUICK.mapping, filtering: "address-and-port-dependent" },
    ...{ preservesPort: true, hairpinning: null, publicAddresses: [ADDRESS], stun: [] },
    ...(view as ProberView).known(),
    ...more,
  });
  const createProber = (voice: Voice, about: ProberView): NatProber => {
    view = about;
    return {
      discoveryServer: () => "192.0.2.1:3478" as never,
      measure: (options) =>
        new Promise((resolve, reject) => {
          options.signal.addEventListener("abort", () => reject(options.signal.reason));
          measurements.push({ ...options, voice, finish: (more = {}) => resolve(toReport(more)), fail: reject });
        }),
    };
  };
  const network = createMachineNetwork({
    ...{ portMapper, createProber, clock, log: silentLogger, staticEndpoints: [], checksProblem: () => null },
    ownStunServers: changes.ownStunServers ?? null,
    measureLifetime: (_, signal) =>
      new Promise((resolve) => lifetimes.push({ signal, finish: (seconds) => resolve(ok(seconds)) })),
    onChanged: () => told.count++,
  });
  const begin = async () => {
    network.setStunServers([SERVER]);
    network.setVoice(51_820, CLIENT);
    await clock.advance(20);
    return newest();
  };
  const newest = (): Measurement => {
    const last = measurements.at(-1);
    if (last === undefined) throw new Error("nothing is measured");
    return last;
  };
  return { clock, network, measurements, lifetimes, mapper, told, begin, newest };
}

describe("the machine's NAT", () => {
  it("is measured once when servers and the first mesh are there, from WireGuard's port", async () => {
    const { measurements, begin, network, clock } = setUp();
    const measurement = await begin();
    network.setVoice(51_821, CLIENT);
    await clock.advance(1_000);
    expect([measurements.length, measurement.voice.localPort]).toEqual([1, 51_820]);
    expect(measurement.signal.aborted).toBe(false);
  });

  it("is measured from another mesh's port when the first mesh is left", async () => {
    const { begin, network, clock, newest } = setUp();
    const first = await begin();
    network.setVoice(51_821, CLIENT);
    network.setVoice(51_820, null);
    await clock.advance(20);
    expect([first.signal.aborted, newest().voice.localPort]).toEqual([true, 51_821]);
  });

  it("is told as soon as the quick look has it, and again when its filtering is known", async () => {
    const { begin, network, told, clock } = setUp();
    const { onQuick, finish } = await begin();
    const before = told.count;
    onQuick?.({ summary: QUICK, mapped: [] });
    expect([network.nat(), network.report(), told.count - before]).toEqual([QUICK, null, 1]);
    finish();
    await clock.advance(0);
    expect(network.nat()).toEqual({ ...QUICK, filtering: "address-and-port-dependent" });
    expect([network.report()?.filtering, told.count - before]).toEqual(["address-and-port-dependent", 2]);
  });

  it.each<[string, Partial<NatReport>, NatSummary]>([
    ["the filtering", {}, QUICK],
    [
      "the kind of a hard mapping",
      { mapping: "address-dependent" },
      { ...QUICK, mapping: "address-and-port-dependent" },
    ],
    ["the mapping that one server with two addresses told", {}, { ...QUICK, mapping: "unknown" }],
  ])("is not told again when nothing new was found: a quick look does not know %s", async (_, report, look) => {
    const { begin, network, told, clock, newest } = setUp();
    const first = await begin();
    first.onQuick?.({ summary: look, mapped: [] });
    first.finish(report);
    await clock.advance(0);
    const [before, known] = [told.count, network.nat()];
    network.networkChanged();
    await clock.advance(20);
    newest().onQuick?.({ summary: look, mapped: [] });
    expect(network.nat()).toEqual(known);
    newest().finish(report);
    await clock.advance(0);
    expect([network.nat(), told.count]).toEqual([known, before]);
  });

  it.each<[keyof NatSummary, Partial<NatSummary>]>([
    ["publicAddress", { publicAddress: "203.0.113.9" as Ipv4 }],
    ["mapping", { mapping: "none" }],
    ["mapping", { mapping: "address-and-port-dependent" }],
    ["isUdpOpen", { isUdpOpen: false }],
  ])("is told at once when a quick look says that it is another one: %s", async (_, changes) => {
    const { begin, network, clock, newest } = setUp();
    (await begin()).finish();
    await clock.advance(0);
    network.networkChanged();
    await clock.advance(20);
    newest().onQuick?.({ summary: { ...QUICK, ...changes }, mapped: [] });
    expect(network.nat()).toEqual({ ...QUICK, ...changes });
  });

  it("is measured again in another network, and the measurement that runs ends", async () => {
    const { begin, network, clock, measurements, mapper } = setUp();
    const first = await begin();
    network.networkChanged();
    await clock.advance(20);
    expect([first.signal.aborted, measurements.length, mapper.networkChanges]).toEqual([true, 2, 1]);
  });

  it("is measured again after a minute when it was not found out, then less and less, down to every ten minutes", async () => {
    const { begin, clock, newest, network, measurements } = setUp();
    await begin();
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      newest().finish({ mapping: "unknown" });
      const before = measurements.length;
      await clock.advance(minutes * 60_000 - 1);
      expect(measurements).toHaveLength(before);
      await clock.advance(1);
      expect(measurements).toHaveLength(before + 1);
    }
    network.networkChanged();
    await clock.advance(20);
    newest().finish({ mapping: "unknown" });
    const before = measurements.length;
    await clock.advance(60_000);
    expect(measurements).toHaveLength(before + 1);
  });

  it("is measured again when a measurement failed", async () => {
    const { begin, clock, measurements } = setUp();
    (await begin()).fail(new Error("no socket"));
    await clock.advance(60_000);
    expect(measurements).toHaveLength(2);
  });

  it("is measured anew in another network though a measurement has just failed", async () => {
    const { begin, network, clock, measurements } = setUp();
    const first = await begin();
    network.networkChanged();
    first.fail(new Error("no socket"));
    await clock.advance(20);
    expect(measurements).toHaveLength(2);
  });

  it("is not measured where there is no server to ask, nor where there is no mesh", async () => {
    const { network, clock, measurements } = setUp();
    network.setVoice(51_820, CLIENT);
    await clock.advance(1_000);
    expect([measurements.length, await network.measure()]).toEqual([0, null]);
    network.setStunServers([SERVER]);
    await clock.advance(1_000);
    expect(measurements).toHaveLength(1);
    network.setVoice(51_820, null);
    expect(await network.measure()).toBeNull();
  });

  it("is asked of the operator's servers where they are named, whatever the control plane says", () => {
    const { network } = setUp({ ownStunServers: ["own.example.org:3478"] });
    network.setStunServers([SERVER]);
    expect(network.stunServers()).toEqual(["own.example.org:3478"]);
  });

  it("is what `becket netcheck` gets, measured anew", async () => {
    const { begin, network, clock, newest } = setUp();
    (await begin()).finish();
    await clock.advance(0);
    const measured = network.measure();
    await clock.advance(0);
    newest().finish({ hairpinning: true });
    expect(await measured).toMatchObject({ hairpinning: true, portMapping: { protocols: ["pcp"] } });
  });

  it("is one for all who ask meanwhile, and the newest when the network changes", async () => {
    const { begin, network, clock, newest, measurements } = setUp();
    await begin();
    const asked = [network.measure(), network.measure()];
    await clock.advance(0);
    expect(measurements).toHaveLength(1);
    network.networkChanged();
    await clock.advance(20);
    newest().finish({ hairpinning: true });
    expect(await Promise.all(asked)).toMatchObject([{ hairpinning: true }, { hairpinning: true }]);
  });

  it("is nothing to whoever asked when the last mesh is left meanwhile", async () => {
    const { begin, network } = setUp();
    await begin();
    const measured = network.measure();
    network.setVoice(51_820, null);
    expect(await measured).toBeNull();
  });

  it("is a failure to whoever asked for the measurement that failed", async () => {
    const { begin, network } = setUp();
    const { fail } = await begin();
    const measured = network.measure();
    fail(new Error("no socket"));
    await expect(measured).rejects.toThrow("no socket");
  });

  it("is left alone after the end, and the router's ports are given back", async () => {
    const { begin, network, clock, mapper, measurements } = setUp();
    const { signal } = await begin();
    await network.stop();
    network.networkChanged();
    await clock.advance(120_000);
    expect([signal.aborted, mapper.isStopped, measurements.length]).toEqual([true, true, 1]);
  });
});

describe("how long the NAT remembers", () => {
  it("is measured a while after everything else, and sets the keepalive", async () => {
    const { begin, network, clock, lifetimes, told } = setUp();
    expect(network.keepaliveSeconds()).toBe(25);
    (await begin()).finish();
    await clock.advance(9_999);
    expect(lifetimes).toHaveLength(0);
    await clock.advance(1);
    const before = told.count;
    lifetimes[0]?.finish(120);
    await clock.advance(0);
    expect([network.keepaliveSeconds(), told.count - before]).toEqual([108, 1]);
    expect(network.report()?.mappingLifetimeSeconds).toBe(120);
  });

  it("is not known of another network", async () => {
    const { begin, network, clock, lifetimes, told } = setUp();
    (await begin()).finish();
    await clock.advance(10_000);
    lifetimes[0]?.finish(120);
    await clock.advance(0);
    const before = told.count;
    network.networkChanged();
    expect([network.keepaliveSeconds(), told.count - before]).toEqual([25, 1]);
  });

  it("goes on being measured while somebody asks for the NAT, and ends with the network", async () => {
    const { begin, network, clock, lifetimes, newest } = setUp();
    (await begin()).finish();
    await clock.advance(10_000);
    network.measure();
    await clock.advance(0);
    newest().finish();
    await clock.advance(10_000);
    expect([lifetimes.length, lifetimes[0]?.signal.aborted]).toEqual([1, false]);
    network.networkChanged();
    expect(lifetimes[0]?.signal.aborted).toBe(true);
    await clock.advance(20);
    newest().finish();
    await clock.advance(10_000);
    expect(lifetimes).toHaveLength(2);
  });

  it("is measured once a day at most", async () => {
    const { begin, network, clock, lifetimes, newest } = setUp();
    const measure = async () => {
      network.measure();
      await clock.advance(0);
      newest().finish();
      await clock.advance(10_000);
      lifetimes.at(-1)?.finish(120);
      await clock.advance(0);
    };
    await begin();
    await measure();
    await clock.advance(23 * 3_600_000);
    await measure();
    expect(lifetimes).toHaveLength(1);
    await clock.advance(3_600_000);
    await measure();
    expect(lifetimes).toHaveLength(2);
  });

  it("is not measured where there is no NAT", async () => {
    const { begin, clock, lifetimes } = setUp();
    (await begin()).finish({ mapping: "none" });
    await clock.advance(60_000);
    expect(lifetimes).toHaveLength(0);
  });
});

describe("ports that a router opens", () => {
  it("are asked for all meshes", async () => {
    const { network, mapper } = setUp();
    network.setVoice(51_820, CLIENT);
    network.setVoice(51_821, CLIENT);
    expect(mapper.ports).toEqual([51_820, 51_821]);
    network.setVoice(51_820, null);
    expect(mapper.ports).toEqual([51_821]);
  });
});
