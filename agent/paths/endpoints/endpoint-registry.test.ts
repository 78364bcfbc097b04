import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { MAX_ENDPOINTS_PER_MEMBER } from "#schema/limits";
import type { NatSummary } from "#schema/nat";
import { testMachineId, testMeshId } from "../../testing/mesh-model.ts";
import { createEndpointRegistry, type EndpointSource } from "./endpoint-registry.ts";

const at = (port: number, address = "198.51.100.7") => `${address}:${port}` as Endpoint;
const [HOST, STATIC]: EndpointSource[] = [
  { type: "host", observedBy: null },
  { type: "static", observedBy: null },
];
const stun = (server: string): EndpointSource => ({ type: "stun", observedBy: `${server}:3478` });
const peer = (number: number): EndpointSource => ({ type: "peer_observed", observedBy: testMachineId(number) });
const nat = (mapping: NatSummary["mapping"]): NatSummary => ({ mapping, filtering: "unknown", isUdpOpen: true });
const EASY = nat("endpoint-independent");
const NOW = Date.UTC(2026, 0, 1);
const endpointsOf = (candidates: readonly { endpoint: Endpoint }[]) => candidates.map(({ endpoint }) => endpoint);

function setUp() {
  const registry = createEndpointRegistry();
  if (HOST === undefined || STATIC === undefined) throw new Error("there are two");
  return { registry, host: HOST, fixed: STATIC };
}

describe("what the other members are told", () => {
  it("is configured endpoints first, then own ones, then what others saw; each once", () => {
    const { registry, host, fixed } = setUp();
    registry.set(stun("a"), [at(1), at(51_820, "192.168.1.7")], NOW);
    registry.set({ type: "port_mapped", observedBy: "pcp" }, [at(2)], NOW);
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    registry.set(fixed, [at(9)], NOW);
    expect(registry.candidates(EASY, NOW)).toEqual([
      { type: "static", endpoint: at(9) },
      { type: "host", endpoint: at(51_820, "192.168.1.7") },
      { type: "port_mapped", endpoint: at(2) },
      { type: "stun", endpoint: at(1) },
    ]);
  });

  it.each(["address-dependent", "address-and-port-dependent"] as const)(
    "is no mapping of a NAT that gives every destination another: %s",
    (mapping) => {
      const { registry, host } = setUp();
      registry.set(host, [at(51_820, "192.168.1.7")], NOW);
      registry.set({ type: "port_mapped", observedBy: "pcp" }, [at(2)], NOW);
      registry.set(stun("a"), [at(1)], NOW);
      registry.note(peer(2), at(1), NOW);
      expect(registry.candidates(nat(mapping), NOW).map(({ type }) => type)).toEqual(["host", "port_mapped"]);
    },
  );

  it("is none of them either while the NAT is not measured, but observers disagree about the port", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1)], NOW);
    registry.set(stun("b"), [at(1)], NOW);
    expect(endpointsOf(registry.candidates(null, NOW))).toEqual([at(1)]);
    registry.note(peer(2), at(2), NOW);
    expect(registry.candidates(null, NOW)).toEqual([]);
    // A measurement knows better.
    expect(endpointsOf(registry.candidates(EASY, NOW))).toEqual([at(1), at(2)]);
  });

  it("may be several addresses: two ways out are no hard NAT", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1), at(2, "203.0.113.7")], NOW);
    expect(endpointsOf(registry.candidates(null, NOW))).toEqual([at(1), at(2, "203.0.113.7")]);
  });

  it("is not what a server said before it said otherwise", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1)], NOW);
    registry.set(stun("a"), [at(2)], NOW + 1);
    registry.set(stun("b"), [], NOW + 1);
    expect(endpointsOf(registry.candidates(EASY, NOW + 1))).toEqual([at(2)]);
  });

  it("is not what others saw two minutes ago; own addresses stay", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    registry.set(stun("a"), [at(1)], NOW);
    expect(registry.candidates(EASY, NOW + 119_999)).toHaveLength(2);
    expect(registry.candidates(EASY, NOW + 120_000).map(({ type }) => type)).toEqual(["host"]);
  });

  it("is not what was seen in another network", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    registry.set(stun("a"), [at(1)], NOW);
    registry.note(peer(2), at(1), NOW);
    registry.forgetSeen();
    expect(registry.candidates(EASY, NOW).map(({ type }) => type)).toEqual(["host"]);
    registry.note(peer(2), at(1), NOW + 1);
    expect(registry.candidates(EASY, NOW + 1).map(({ type }) => type)).toEqual(["host", "peer_observed"]);
  });

  it("is two endpoints at most that peers claim to have seen, the newest, because one of them may lie", () => {
    const { registry } = setUp();
    for (const number of [1, 2, 3, 4]) registry.note(peer(9), at(1, `192.0.2.${number}`), NOW + number);
    expect(endpointsOf(registry.candidates(EASY, NOW + 5))).toEqual([at(1, "192.0.2.3"), at(1, "192.0.2.4")]);
  });

  it("is as many as a member may have, and no more", () => {
    const { registry, host } = setUp();
    const many = Array.from({ length: 40 }, (_, index) => at(51_820, `10.0.0.${index + 1}`));
    registry.set(host, many, NOW);
    registry.set(stun("a"), [at(1)], NOW);
    expect(endpointsOf(registry.candidates(EASY, NOW))).toEqual(many.slice(0, MAX_ENDPOINTS_PER_MEMBER));
  });
});

describe("what is shown of this machine's endpoints", () => {
  const time = (ms: number) => new Date(ms).toISOString();

  it("is who saw each, when first, when last; also when it is not told any more", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    for (const ms of [0, 20_000]) registry.set(stun("a"), [at(1)], NOW + ms);
    registry.set(stun("a"), [at(2)], NOW + 40_000);
    registry.note(peer(2), at(1), NOW + 50_000);
    const meshId = testMeshId(0);
    expect(registry.list(meshId, NOW + 60_000)).toEqual([
      {
        ...{ meshId, address: at(51_820, "192.168.1.7"), type: "host", observedBy: null },
        ...{ firstSeen: time(NOW), lastSeen: time(NOW + 60_000) },
      },
      {
        ...{ meshId, address: at(1), type: "stun", observedBy: "a:3478" },
        ...{ firstSeen: time(NOW), lastSeen: time(NOW + 20_000) },
      },
      {
        ...{ meshId, address: at(2), type: "stun", observedBy: "a:3478" },
        ...{ firstSeen: time(NOW + 40_000), lastSeen: time(NOW + 40_000) },
      },
      {
        ...{ meshId, address: at(1), type: "peer_observed", observedBy: testMachineId(2) },
        ...{ firstSeen: time(NOW + 50_000), lastSeen: time(NOW + 50_000) },
      },
    ]);
  });

  it("is not what is older than an hour, and never grows without end", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1)], NOW);
    registry.set(stun("b"), [at(1)], NOW + 3_600_000);
    expect(registry.list(testMeshId(0), NOW + 3_600_000)).toHaveLength(1);
    for (let port = 1; port < 500; port++) registry.note(peer(2), at(port), NOW + 3_600_000);
    expect(registry.list(testMeshId(0), NOW + 3_600_000)).toHaveLength(17);
  });

  it("keeps this machine's own endpoints however much peers claim", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    for (let port = 1; port < 500; port++) registry.note(peer(2), at(port), NOW);
    expect(registry.candidates(EASY, NOW).map(({ type }) => type)).toContain("host");
  });
});
