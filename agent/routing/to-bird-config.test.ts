import { describe, expect, it } from "vitest";
import { AnnouncementRow } from "#schema/desired-state";
import { NO_POLICIES, Policies } from "#schema/policy";
import type { BirdConfig } from "../bird/bird-config.ts";
import { toMachineId, toMeshId } from "../testing/bird-fixture.ts";
import { type RoutedMeshFixture, routedMesh, toRouteId } from "../testing/routed-mesh-fixture.ts";
import { type BirdInputs, toBirdConfig } from "./to-bird-config.ts";

const SELF = 1;
const LAN = { prefixes: ["192.168.50.0/24", "fd50::/48"], machines: [2] };

function toConfig(fixture: RoutedMeshFixture, changes: Partial<BirdInputs> = {}): BirdConfig | null {
  const mesh = routedMesh(fixture);
  return toBirdConfig({
    ...{ mesh, meshes: [mesh], leaving: [], machineId: toMachineId(SELF), logFile: "/run/log" },
    ...{ isAnnounced: () => true, phase: "direct" as const, wasWatched: () => false },
    ...changes,
  });
}
/** `2 on`: a session with member 2, watched. */
const sessions = (config: BirdConfig | null) =>
  config?.members
    .filter(({ hasSession }) => hasSession)
    .map(({ machineId, bfd }) => `${Number(machineId.slice(4))}${bfd === "off" ? "" : ` ${bfd}`}`);

describe("toBirdConfig", () => {
  it("has nothing to say where nobody announces anything and nobody is a gateway, or this machine is no member", () => {
    expect(toConfig({ count: 3 })).toBeNull();
    expect(toConfig({ announced: [{ ...LAN, machines: [] }] })).toBeNull();
    expect(toConfig({ announced: [LAN] }, { machineId: toMachineId(9) })).toBeNull();
    expect(toConfig({ announced: [{ ...LAN, machines: [9] }] })).toBeNull();
  });

  it("lets each member bring what it was authorised for", () => {
    const config = toConfig({ count: 3, announced: [LAN, { prefixes: ["10.77.9.9/32"], machines: [2, 3] }] });
    expect(config).toMatchObject({
      ...{ interfaceName: "bkt-77", asn: 4_200_000_077, cidr: "10.77.0.0/16", cidr6: "fd77::/64", isGateway: false },
      ...{ address: "10.77.0.1", address6: "fd77::1", kernelMetric: 10_000 + 51_877, gatewayLinks: [] },
      announcements: [],
    });
    expect(config?.members.map(({ prefixes }) => prefixes)).toEqual([
      [...LAN.prefixes, "10.77.9.9/32"],
      ["10.77.9.9/32"],
    ]);
    expect(config?.members.map(({ prefixesOfOtherMeshes }) => prefixesOfOtherMeshes)).toEqual([[], []]);
  });

  it("knows the networks of the machine's other meshes", () => {
    const [mesh, other] = [routedMesh({ announced: [LAN] }), routedMesh({ number: 88 })];
    expect(toConfig({}, { mesh, meshes: [mesh] })?.networksOfOtherMeshes).toEqual([]);
    expect(toConfig({}, { mesh, meshes: [mesh, other] })?.networksOfOtherMeshes).toEqual(["10.88.0.0/16", "fd88::/64"]);
  });

  it("lets gateways bring private networks, or whatever the mesh's import policy may accept", () => {
    const brought = (policies: object) => {
      const mesh = routedMesh({ count: 2, gateways: [2] });
      const desired = { ...mesh.desired, mesh: { ...mesh.desired.mesh, policies: Policies.parse(policies) } };
      const config = toConfig({}, { mesh: { ...mesh, desired } });
      return { from: config?.members.map(({ prefixesOfOtherMeshes }) => prefixesOfOtherMeshes)[0], config };
    };
    expect(brought({}).from).toEqual(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]);
    const policy = { rules: [], defaultAction: "reject", defaultLocalPreference: null };
    expect(brought({ export: policy }).from).toContain("10.0.0.0/8");
    const { from, config } = brought({ import: policy });
    expect(from).toEqual(["0.0.0.0/0", "::/0"]);
    expect(config).toMatchObject({ meshPolicies: { import: policy, export: null }, machinePolicies: NO_POLICIES });
  });

  it("announces what this machine has to, if it is healthy", () => {
    const announced = [LAN, { ...LAN, machines: [SELF] }, { prefixes: ["10.77.9.9/32"], machines: [SELF, 2] }];
    const isAnnounced = (id: string) => id === toRouteId(2);
    expect(toConfig({ announced }, { isAnnounced })?.announcements).toEqual([
      { id: toRouteId(1), prefixes: LAN.prefixes, state: "withheld" },
      { id: toRouteId(2), prefixes: ["10.77.9.9/32"], state: "announced" },
    ]);
  });

  it("announces what it hands over as the last choice, if it was announced, and lets others do the same", () => {
    const announced = [{ ...LAN, machines: [3] }];
    const leaving = [SELF, 2].map((number) =>
      AnnouncementRow.parse({ id: toRouteId(0), prefixes: LAN.prefixes, machineIds: [toMachineId(number)] }),
    );
    const config = toConfig({ count: 3, announced }, { leaving: [...leaving, ...leaving] });
    expect(config?.announcements).toEqual([{ id: toRouteId(0), prefixes: LAN.prefixes, state: "leaving" }]);
    expect(config?.members.map(({ prefixes }) => prefixes)).toEqual([LAN.prefixes, LAN.prefixes]);
    // BFD as long as there are several.
    expect(sessions(config)).toEqual(["2 on", "3 on"]);
    expect(toConfig({ count: 3, announced }, { leaving, isAnnounced: () => false })?.announcements).toEqual([]);
  });

  it("has sessions where one end announces or is a gateway", () => {
    expect(sessions(toConfig({ count: 4, announced: [LAN] }))).toEqual(["2"]);
    expect(sessions(toConfig({ count: 4, announced: [{ ...LAN, machines: [SELF] }] }))).toEqual(["2", "3", "4"]);
    expect(sessions(toConfig({ count: 4, gateways: [3] }))).toEqual(["3"]);
    expect(sessions(toConfig({ count: 4, gateways: [SELF] }))).toEqual(["2", "3", "4"]);
  });

  it("in route reflector mode has sessions where one end is a gateway, once that is enough", () => {
    const fixture = { count: 4, announced: [LAN], gateways: [3], routeReflectorMode: true };
    expect(sessions(toConfig(fixture))).toEqual(["2", "3"]);
    expect(sessions(toConfig(fixture, { phase: "both" }))).toEqual(["2", "3"]);
    expect(sessions(toConfig(fixture, { phase: "reflected" }))).toEqual(["3"]);
    expect(sessions(toConfig({ ...fixture, gateways: [SELF] }, { phase: "reflected" }))).toEqual(["2", "3", "4"]);
  });

  it("says of its own prefixes that gateways' copies may be taken, unless it is a gateway itself", () => {
    const fixture = { count: 4, announced: [{ ...LAN, machines: [SELF] }], gateways: [3] };
    expect(toConfig(fixture)?.isReflected).toBe(false);
    expect(toConfig(fixture, { phase: "both" })?.isReflected).toBe(true);
    expect(toConfig(fixture, { phase: "reflected" })?.isReflected).toBe(true);
    expect(toConfig({ ...fixture, gateways: [SELF] }, { phase: "reflected" })?.isReflected).toBe(false);
  });

  it("has sessions watched where there is another to fail over to", () => {
    const shared = { ...LAN, machines: [2, 3] };
    expect(sessions(toConfig({ count: 4, announced: [shared, { ...LAN, machines: [4] }] }))).toEqual([
      "2 on",
      "3 on",
      "4",
    ]);
    expect(sessions(toConfig({ count: 4, gateways: [2] }))).toEqual(["2"]);
    expect(sessions(toConfig({ count: 4, gateways: [2, 3] }))).toEqual(["2 on", "3 on"]);
    expect(sessions(toConfig({ count: 3, announced: [{ ...LAN, machines: [2, 9] }] }))).toEqual(["2"]);
  });

  it("ends a watch in two steps", () => {
    const wasWatched = () => true;
    expect(sessions(toConfig({ count: 3, announced: [LAN] }, { wasWatched }))).toEqual(["2 ending"]);
  });

  it("lets gateways bring private networks from other meshes", () => {
    const gateway = toConfig({ gateways: [2] })?.members[0];
    expect(gateway).toMatchObject({
      isGateway: true,
      prefixesOfOtherMeshes: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
    });
  });
});

describe("the links of a gateway", () => {
  const of = (number: number, isGateway = true) => routedMesh({ number, gateways: isGateway ? [SELF] : [2] });
  const linksOf = (mesh: BirdInputs["mesh"], meshes: readonly BirdInputs["mesh"][]) =>
    toConfig({}, { mesh, meshes })?.gatewayLinks ?? [];

  it("go to each other mesh in which it is a gateway, with addresses that both ends know", () => {
    const [a, b, c] = [of(77), of(88), of(99, false)];
    const [link, ...more] = linksOf(a, [a, b, c]);
    expect(more).toEqual([]);
    expect(link).toMatchObject({
      ...{ meshId: toMeshId(88), asn: 4_200_000_088, meshAddress: "10.88.0.1", meshAddress6: "fd88::1" },
      ...{ localAddress: "127.66.202.165", remoteAddress: "127.66.202.176" },
    });
    const [back] = linksOf(b, [a, b, c]);
    expect(back).toMatchObject({
      meshId: toMeshId(77),
      localAddress: link?.remoteAddress,
      remoteAddress: link?.localAddress,
    });
    expect(linksOf(c, [a, b, c])).toEqual([]);
  });

  it("stay as they are when another mesh comes or goes", () => {
    const [a, b, c] = [of(77), of(88), of(99)];
    const [first] = linksOf(a, [a, b]);
    expect(linksOf(a, [c, a, b])[1]).toEqual(first);
  });
});
