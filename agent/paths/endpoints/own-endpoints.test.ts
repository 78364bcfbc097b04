import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { NatSummary } from "#schema/nat";
import type { StunAnswer } from "../../stun/stun-client.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { testMachineId, testMeshId } from "../../testing/mesh-model.ts";
import { createOwnEndpoints } from "./own-endpoints.ts";

const LAN = { interfaceName: "eth0", address: "192.168.1.7", prefixLength: 24 };
const SEEN = "198.51.100.7:51820" as Endpoint;

function setUp(servers = ["192.0.2.1:3478", "192.0.2.2:3478", "192.0.2.3:3478"]) {
  const clock = createFakeClock();
  const asked: Endpoint[] = [];
  const answers = new Map<string, Endpoint>([
    ["192.0.2.1:3478", SEEN],
    ["192.0.2.2:3478", SEEN],
  ]);
  const world = { changes: 0, nat: null as NatSummary | null };
  const own = createOwnEndpoints({
    ...{ listenPort: 51_820, clock, staticEndpoints: ["203.0.113.9:9" as Endpoint] },
    stun: {
      async binding(server): Promise<StunAnswer | null> {
        asked.push(server);
        const mapped = answers.get(server);
        return mapped === undefined ? null : { mapped, from: server, otherAddress: null, roundTripMs: 1 };
      },
    },
    servers: () => servers,
    resolveHost: async (host) => ({ ipv4: [host], ipv6: [] }),
    nat: () => world.nat,
    onChanged: () => world.changes++,
  });
  own.setAddresses([LAN]);
  return { clock, asked, answers, world, own };
}

const typesOf = ({ own }: ReturnType<typeof setUp>) => own.candidates().map(({ type }) => type);

describe("this machine's endpoints", () => {
  it("are configured ones and those of its interfaces before anybody was asked", () => {
    const { own } = setUp();
    expect(own.candidates()).toEqual([
      { type: "static", endpoint: "203.0.113.9:9" },
      { type: "host", endpoint: "192.168.1.7:51820" },
    ]);
  });

  it("are asked of two servers, from WireGuard's port, and told once when both agree", async () => {
    const set = setUp();
    const { changes } = set.world;
    set.own.refresh();
    await set.clock.advance(0);
    expect(set.asked).toEqual(["192.0.2.1:3478", "192.0.2.2:3478"]);
    expect([typesOf(set), set.world.changes - changes]).toEqual([["static", "host", "stun"], 1]);
    expect(set.own.list(testMeshId(0)).filter(({ address }) => address === SEEN)).toHaveLength(2);
  });

  it("are not asked for again while the answers are fresh, but at once in another network", async () => {
    const { own, asked, clock } = setUp();
    own.refresh();
    await clock.advance(19_000);
    own.refresh();
    expect(asked).toHaveLength(2);
    own.networkChanged();
    own.refresh();
    await clock.advance(20_000);
    expect(asked).toHaveLength(4);
    own.refresh();
    await clock.advance(0);
    expect(asked).toHaveLength(6);
  });

  it("lose what was seen when the network is another, until it is seen again", async () => {
    const set = setUp();
    set.own.refresh();
    await set.clock.advance(0);
    set.answers.clear();
    set.own.networkChanged();
    expect(typesOf(set)).toEqual(["static", "host"]);
  });

  it("are not those of a silent server's last answer", async () => {
    const set = setUp();
    set.own.refresh();
    await set.clock.advance(20_000);
    set.answers.clear();
    set.own.refresh();
    await set.clock.advance(0);
    expect(typesOf(set)).toEqual(["static", "host"]);
  });

  it("keep a symmetric mapping to themselves", async () => {
    const set = setUp();
    set.own.refresh();
    await set.clock.advance(0);
    set.world.nat = { mapping: "address-and-port-dependent", filtering: "unknown", isUdpOpen: true };
    expect(typesOf(set)).toEqual(["static", "host"]);
  });

  it("lose a port that the router does not map any more, or maps by another protocol", () => {
    const set = setUp([]);
    set.own.setMapped([{ protocol: "upnp", endpoint: "198.51.100.7:7" as Endpoint }]);
    expect(typesOf(set)).toEqual(["static", "host", "port_mapped"]);
    set.own.setMapped([{ protocol: "pcp", endpoint: "198.51.100.7:8" as Endpoint }]);
    expect(set.own.candidates().at(-1)).toEqual({ type: "port_mapped", endpoint: "198.51.100.7:8" });
    const { changes } = set.world;
    set.own.setMapped([]);
    expect([typesOf(set), set.world.changes - changes]).toEqual([["static", "host"], 1]);
  });

  it("lose a mapped port with the network, until its router says so again", () => {
    const set = setUp([]);
    set.own.setMapped([{ protocol: "pcp", endpoint: "198.51.100.7:7" as Endpoint }]);
    set.own.networkChanged();
    expect(typesOf(set)).toEqual(["static", "host"]);
    set.own.setMapped([{ protocol: "pcp", endpoint: "198.51.100.7:7" as Endpoint }]);
    expect(typesOf(set)).toEqual(["static", "host", "port_mapped"]);
  });

  it("grow by what a router opens and by what peers see, and say by whom", async () => {
    const { own, world } = setUp([]);
    const { changes } = world;
    own.setMapped([{ protocol: "pcp", endpoint: "198.51.100.7:7" as Endpoint }]);
    own.notePeerObserved(testMachineId(2), "198.51.100.8:8" as Endpoint);
    own.noteMeshObserved(testMachineId(3), "198.51.100.9:9" as Endpoint);
    own.refresh();
    const told = own.candidates().map(({ type, endpoint }) => `${type} ${endpoint}`);
    expect(told.slice(2)).toEqual([
      "port_mapped 198.51.100.7:7",
      "peer_observed 198.51.100.8:8",
      "mesh_observed 198.51.100.9:9",
    ]);
    expect(world.changes - changes).toBe(3);
    expect(own.list(testMeshId(0)).at(-1)).toMatchObject({ observedBy: testMachineId(3) });
  });

  it("are confirmed each time that a peer sees them, and are not what a STUN server sees anyhow", async () => {
    const { own, clock } = setUp();
    const seenLast = () => own.list(testMeshId(0)).find(({ type }) => type === "peer_observed")?.lastSeen;
    for (const seconds of [0, 1]) {
      await clock.advance(seconds * 1_000);
      own.notePeerObserved(testMachineId(2), SEEN);
      expect(seenLast()).toBe(new Date(clock.now()).toISOString());
    }
    own.refresh();
    await clock.advance(1_000);
    const before = seenLast();
    own.notePeerObserved(testMachineId(2), SEEN);
    expect(seenLast()).toBe(before);
  });
});
