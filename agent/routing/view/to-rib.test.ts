import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MAX_RIB_ROUTES, RibRoute } from "#schema/bgp";
import { DesiredMesh } from "#schema/desired-state";
import { MachineId } from "#schema/ids";
import { Prefix } from "#schema/prefix";
import { parseReply } from "../../bird/parse-reply.ts";
import { type BirdRoute, parseRoutes } from "../../bird/parse-routes.ts";
import { toRib } from "./to-rib.ts";

const id = (number: number) => MachineId.parse(`mch_${String(number).padStart(26, "0")}`);
const LAN = Prefix.parse("192.168.50.0/24");
const member = (number: number, more: object = {}) => ({
  ...{ machineId: id(number), name: `m${number}`, address: `10.77.0.${number}`, address6: `fd77::${number}` },
  ...{ publicKey: `${"k".repeat(42)}A=`, candidates: [] },
  ...more,
});
const desired = DesiredMesh.parse({
  mesh: {
    ...{ id: "msh_01arz3ndektsv4rrffq69g5fav", name: "office", cidr: "10.77.0.0/16", cidr6: "fd77::/64" },
    asn: 4_200_000_077,
  },
  ...{ epoch: "e", revision: 1 },
  members: [member(1), member(2), member(3), member(4, { isGateway: true })],
  announcements: [{ id: "rt_01arz3ndektsv4rrffq69g5fav", prefixes: [LAN], machineIds: [id(2)] }],
});

const recorded = [false, true].flatMap((areFiltered) => {
  const file = `../../bird/testdata/bird-2.0.12/show-route-all${areFiltered ? "-filtered" : ""}.txt`;
  return parseRoutes(parseReply(readFileSync(new URL(file, import.meta.url), "utf8")), { areFiltered });
});
const toRoutes = (routes: readonly BirdRoute[], prefix: Prefix | null = null) =>
  toRib({ desired, machineId: id(1), routes, prefix });

const bgp = { nextHop: "10.77.0.2", asPath: [], localPreference: 100, med: null, communities: [] };
const route = (change: Partial<BirdRoute> = {}): BirdRoute => ({
  ...{ prefix: LAN, nextHop: "10.77.0.2", interfaceName: "v0", protocol: id(2), sinceMs: 0, bgp },
  ...{ isBest: true, isFiltered: false },
  ...change,
});
const refused = (change: Partial<BirdRoute>, attributes: Partial<typeof bgp> = {}) =>
  toRoutes([route({ isBest: false, isFiltered: true, bgp: { ...bgp, ...attributes }, ...change })]).routes[0]
    ?.filterReason;

describe("what BIRD says", () => {
  it("is its routes, those that filters refused with why", () => {
    const { routes, isTruncated } = toRoutes(recorded);
    expect(isTruncated).toBe(false);
    for (const one of routes) expect(RibRoute.parse(one)).toEqual(one);
    const lines = routes.map(({ prefix, nextHop, origin, source, isBest, filterReason }) =>
      [prefix, nextHop ?? "-", origin?.name ?? "-", source.kind, isBest ? "*" : "", filterReason?.code ?? ""].join(" "),
    );
    expect(lines).toMatchSnapshot();
  });

  it("is what this machine announces itself", () => {
    const own = route({ protocol: "announce_vip_ipv4", bgp: null, nextHop: null });
    expect(toRoutes([own]).routes[0]).toMatchObject({ nextHop: null, origin: { name: "m1" }, source: { kind: "own" } });
  });

  it("is what came over a gateway link, from another mesh", () => {
    const meshId = "msh_01arz3ndektsv4rrffq69g5faw";
    const [one] = toRoutes([route({ protocol: `gw_${meshId}`, bgp: { ...bgp, nextHop: "10.78.0.1" } })]).routes;
    expect(one).toMatchObject({ origin: null, source: { kind: "gateway_link", meshId } });
  });
});

describe("why a filter refused it", () => {
  it.each([
    [
      "not_authorised",
      /no route or VIP of this mesh lets m2 announce 192.168.50.128\/25, only 192.168.50.0\/24/,
      { prefix: "192.168.50.128/25" },
      {},
    ],
    ["not_authorised", /lets m3 announce 192.168.50.0\/24$/, { protocol: id(3) }, { nextHop: "10.77.0.3" }],
    ["foreign_next_hop", /m3 named m2 as next hop/, { protocol: id(3) }, {}],
    ["unknown_next_hop", /10.99.0.1 is no member's/, {}, { nextHop: "10.99.0.1" }],
    ["mesh_network", /overlaps 10.77.0.0\/16/, { prefix: "10.77.8.0/24" }, {}],
    ["mesh_network", /10.77.0.3\/32 is a member's own address/, { prefix: "10.77.0.3/32" }, {}],
    ["not_authorised", /lets m2 announce 0.0.0.0\/0, only/, { prefix: "0.0.0.0/0" }, {}],
    ["policy", /m2 is no gateway/, {}, { asPath: ["4200000078"] }],
    [
      "policy",
      /not among what gateways may bring/,
      { protocol: id(4), prefix: "8.8.8.0/24" },
      { nextHop: "10.77.0.4", asPath: ["4200000078"] },
    ],
    ["unknown", /before that was known here/, {}, {}],
    [
      "policy",
      /not among what may come from other meshes/,
      { protocol: "gw_msh_01arz3ndektsv4rrffq69g5faw", prefix: "8.8.8.0/24" },
      {},
    ],
  ] as const)("%s: %s", (code, message, change, attributes) => {
    const reason = refused(change, attributes as Partial<typeof bgp>);
    expect(reason).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("a policy set that refused it", () => {
  const rules = { rules: [], defaultAction: "reject", defaultLocalPreference: null };
  const ofMachine = DesiredMesh.parse({ ...desired, policies: { import: rules } });
  const ofMesh = DesiredMesh.parse({ ...desired, mesh: { ...desired.mesh, policies: { import: rules } } });
  const link = { protocol: "gw_msh_01arz3ndektsv4rrffq69g5faw", prefix: "10.9.0.0/16" };
  const brought = {
    ...{ protocol: id(4), prefix: "10.9.0.0/16" },
    bgp: { ...bgp, nextHop: "10.77.0.4", asPath: ["4200000078"] },
  };
  it.each([
    ["the machine's, what a member may announce", ofMachine, {}, "this machine's import policy set refuses it"],
    ["the machine's, what a gateway brings", ofMachine, brought, "this machine's import policy set refuses it"],
    ["the mesh's, on a link", ofMesh, link, "the mesh's import policy set refuses it"],
  ])("is named: %s", (_, ofWhom, change, message) => {
    const routes = [route({ isBest: false, isFiltered: true, ...change })];
    const rib = toRib({ desired: ofWhom, machineId: id(1), routes, prefix: null });
    expect(rib.routes[0]?.filterReason).toEqual({ code: "policy", message });
  });
});

describe("how much is told", () => {
  it("is what contains a prefix, or is inside it", () => {
    const routes = ["0.0.0.0/0", "192.168.0.0/16", "192.168.7.0/24", "192.168.7.9/32", "192.168.8.0/24", "fd00::/8"];
    const rib = toRoutes(
      routes.map((prefix) => route({ prefix })),
      Prefix.parse("192.168.7.0/24"),
    );
    expect(rib.routes.map(({ prefix }) => prefix)).toEqual(routes.slice(0, 4));
  });

  it("comes in the order of networks, those of one prefix as BIRD has them", () => {
    const order = ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "192.168.7.0/24", "200.0.0.0/8", "::/8", "fd00::/8"];
    const routes = [...order].reverse().map((prefix) => route({ prefix, isBest: false }));
    const rib = toRoutes([route({ prefix: "10.0.0.0/8" }), ...routes]);
    expect(rib.routes.map(({ prefix }) => prefix)).toEqual(order.toSpliced(1, 0, "10.0.0.0/8"));
    expect(rib.routes.map(({ isBest }) => isBest).indexOf(true)).toBe(1);
  });

  it("is bounded, and says so", () => {
    const routes = Array.from({ length: 10_000 }, (_, index) =>
      route({ prefix: `172.16.${index >> 8}.${index & 255}/32` }),
    );
    const rib = toRoutes(routes);
    expect(rib).toMatchObject({ isTruncated: true });
    expect(rib.routes).toHaveLength(MAX_RIB_ROUTES);
    expect(toRoutes(routes, Prefix.parse("172.16.3.0/24")).routes).toHaveLength(256);
    const mixed = toRoutes([...routes, ...routes.map((one) => ({ ...one, isBest: false, isFiltered: true }))]).routes;
    expect(mixed).toHaveLength(MAX_RIB_ROUTES);
    expect(mixed.filter(({ filterReason }) => filterReason !== null)).toHaveLength(500);
  });
});
