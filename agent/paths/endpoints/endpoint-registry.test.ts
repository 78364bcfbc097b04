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
const mesh = (number: number): EndpointSource => ({ type: "mesh_observed", observedBy: testMachineId(number) });
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

  it("is none of them either while the NAT is not measured, but every observer sees another port", () => {
    const { registry } = setUp();
    for (const number of [1, 2, 3]) registry.note(peer(number), at(number), NOW);
    expect(registry.candidates(null, NOW)).toEqual([]);
    // A measurement knows better.
    expect(endpointsOf(registry.candidates(EASY, NOW))).toEqual([at(1), at(2)]);
  });

  it("is no port of a server either that another server does not see", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1)], NOW);
    registry.set(stun("b"), [at(2)], NOW);
    expect(registry.candidates(null, NOW)).toEqual([]);
  });

  it("goes on though one member names a port that nobody else sees, without STUN servers too", () => {
    const { registry } = setUp();
    registry.note(peer(1), at(1), NOW);
    registry.note(peer(2), at(2), NOW);
    expect(endpointsOf(registry.candidates(null, NOW))).toContain(at(1));
    for (const server of ["a", "b"]) registry.set(stun(server), [at(1)], NOW);
    expect(endpointsOf(registry.candidates(null, NOW))).toContain(at(1));
  });

  it("is not stopped by what one member says one after the other", () => {
    const { registry } = setUp();
    registry.note(peer(1), at(1), NOW);
    for (const port of [2, 3, 4]) registry.note(peer(2), at(port), NOW + port);
    expect(endpointsOf(registry.candidates(null, NOW + 5))).toContain(at(1));
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

  it("is not what others saw two minutes ago; own addresses and mapped ports stay", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    registry.set({ type: "port_mapped", observedBy: "pcp" }, [at(2)], NOW);
    registry.set(stun("a"), [at(1)], NOW);
    expect(registry.candidates(EASY, NOW + 119_999)).toHaveLength(3);
    expect(registry.candidates(EASY, NOW + 120_000).map(({ type }) => type)).toEqual(["host", "port_mapped"]);
    registry.set(stun("a"), [at(1)], NOW + 3_600_000);
    expect(registry.candidates(EASY, NOW + 3_600_000).map(({ type }) => type)).toEqual(["host", "port_mapped", "stun"]);
  });

  it("is not what was seen in another network", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    registry.set(stun("a"), [at(1)], NOW);
    registry.note(peer(2), at(1), NOW);
    registry.set({ type: "port_mapped", observedBy: "upnp" }, [at(2)], NOW);
    registry.forgetSeen(NOW);
    expect(registry.candidates(EASY, NOW).map(({ type }) => type)).toEqual(["host"]);
    registry.note(peer(2), at(1), NOW + 1);
    expect(registry.candidates(EASY, NOW + 1).map(({ type }) => type)).toEqual(["host", "peer_observed"]);
  });

  it("is two endpoints at most that members claim to have seen, whatever the way, because one of them may lie", () => {
    const { registry } = setUp();
    for (const number of [1, 2, 3]) {
      registry.note(peer(number), at(1, `192.0.2.${number}`), NOW);
      registry.note(mesh(number + 3), at(1, `192.0.2.${number + 3}`), NOW);
    }
    expect(registry.candidates(EASY, NOW)).toHaveLength(2);
  });

  it("is what several members see, and what a server sees, once: it takes no other's place", () => {
    const { registry } = setUp();
    registry.set(stun("a"), [at(1)], NOW);
    for (const number of [1, 2, 3]) registry.note(peer(number), at(number === 1 ? 1 : 2), NOW + number);
    registry.note(mesh(4), at(3), NOW + 4);
    expect(endpointsOf(registry.candidates(EASY, NOW + 5))).toEqual([at(1), at(2), at(3)]);
  });

  it("is an endpoint that is confirmed again and again, however many fresh ones a member claims", () => {
    const { registry } = setUp();
    for (let second = 0; second < 100; second++) {
      const nowMs = NOW + second * 1_000;
      registry.note(peer(1), at(1), nowMs);
      for (const turn of [1, 2, 3]) registry.note(peer(2), at(second * 3 + turn, "192.0.2.66"), nowMs + turn);
      expect(endpointsOf(registry.candidates(null, nowMs + 5))).toContain(at(1));
    }
  });

  it("is another endpoint no more often than every 20 s, however often a member claims another one", () => {
    const { registry } = setUp();
    const told = new Set<string>();
    for (let second = 0; second < 100; second++) {
      registry.note(peer(2), at(second + 1, "192.0.2.66"), NOW + second * 1_000);
      told.add(JSON.stringify(registry.candidates(EASY, NOW + second * 1_000)));
    }
    expect(told.size).toBeLessThanOrEqual(6);
  });

  it("is where the machine is seen after its NAT gave it another port, as soon as nobody sees the old one", () => {
    const { registry } = setUp();
    for (const number of [1, 2, 3]) registry.note(peer(number), at(1), NOW);
    for (const number of [1, 2, 3]) registry.note(peer(number), at(2), NOW + 30_000);
    expect(endpointsOf(registry.candidates(null, NOW + 30_000))).toContain(at(2));
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
  const toWallMs = (atMs: number) => atMs - 7_200_000;
  const time = (ms: number) => new Date(toWallMs(ms)).toISOString();

  it("is who saw each, when first, when last; also when it is not told any more", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    for (const ms of [0, 20_000]) registry.set(stun("a"), [at(1)], NOW + ms);
    registry.set(stun("a"), [at(2)], NOW + 40_000);
    registry.note(peer(2), at(1), NOW + 50_000);
    const meshId = testMeshId(0);
    expect(registry.list(meshId, NOW + 60_000, toWallMs)).toEqual([
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
    expect(registry.list(testMeshId(0), NOW + 3_600_000, toWallMs)).toHaveLength(1);
    for (let port = 1; port < 500; port++) registry.note(peer(port), at(port), NOW + 3_600_000);
    expect(registry.list(testMeshId(0), NOW + 3_600_000, toWallMs)).toHaveLength(17);
  });

  it("keeps this machine's own endpoints however much peers claim", () => {
    const { registry, host } = setUp();
    registry.set(host, [at(51_820, "192.168.1.7")], NOW);
    for (let port = 1; port < 500; port++) registry.note(peer(port), at(port), NOW);
    expect(registry.candidates(EASY, NOW).map(({ type }) => type)).toContain("host");
  });
});
