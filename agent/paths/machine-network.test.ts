import { describe, expect, it } from "vitest";
import type { NatReport, NatSummary } from "#schema/nat";
import { ok } from "#schema/result";
import type { MeasureOptions, NatProber } from "../nat/nat-prober.ts";
import type { PortMapper } from "../net/port-mapper.ts";
import type { StunClient } from "../stun/stun-client.ts";
import { silentLogger } from "../system/logger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMachineNetwork, type ProberView, type Voice } from "./machine-network.ts";

const CLIENT: StunClient = { binding: async () => null, ask: async () => ({ kind: "silent" }) };
const QUICK: NatSummary = { mapping: "endpoint-independent", filtering: "unknown", isUdpOpen: true };
const SERVER = "stun.example.org:3478";

interface Measurement extends MeasureOptions {
  readonly voice: Voice;
  finish(changes?: Partial<NatReport>): void;
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
    ...{ preservesPort: true, hairpinning: null, publicAddresses: [], stun: [] },
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
          measurements.push({ ...options, voice, finish: (more = {}) => resolve(toReport(more)) });
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
    await clock.advance(10);
    expect([measurements.length, measurement.voice.localPort]).toEqual([1, 51_820]);
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

  it("is told once when nothing new was found", async () => {
    const { begin, network, told, clock, newest } = setUp();
    const first = await begin();
    first.onQuick?.({ summary: { ...QUICK, filtering: "address-and-port-dependent" }, mapped: [] });
    first.finish();
    await clock.advance(0);
    const before = told.count;
    network.networkChanged();
    await clock.advance(20);
    newest().finish();
    await clock.advance(0);
    expect(told.count).toBe(before);
  });

  it("is measured again in another network, and the measurement that runs ends", async () => {
    const { begin, network, clock, measurements, mapper } = setUp();
    const first = await begin();
    network.networkChanged();
    await clock.advance(20);
    expect([first.signal.aborted, measurements.length, mapper.networkChanges]).toEqual([true, 2, 1]);
  });

  it("is measured again after a minute when it was not found out", async () => {
    const { begin, clock, measurements } = setUp();
    (await begin()).finish({ mapping: "unknown" });
    await clock.advance(59_000);
    expect(measurements).toHaveLength(1);
    await clock.advance(1_000);
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
    const { begin, network, clock, lifetimes } = setUp();
    (await begin()).finish();
    await clock.advance(10_000);
    lifetimes[0]?.finish(120);
    await clock.advance(0);
    network.networkChanged();
    expect(network.keepaliveSeconds()).toBe(25);
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
