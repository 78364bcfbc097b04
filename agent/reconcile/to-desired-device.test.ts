import { describe, expect, it } from "vitest";
import { DesiredMesh, type PeerRow } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { keyOf, MESH_A } from "../testing/desired-devices.ts";
import type { PathDecision } from "./path-decision.ts";
import { toAnnouncedNetworks, toHeldAddresses } from "./to-announced.ts";
import { createPeerCache, toDesiredDevice } from "./to-desired-device.ts";
import type { RoutedPrefixes } from "./to-routed-prefixes.ts";

const machineId = (number: number) => `mch_01arz3ndektsv4rrffq69${String(number).padStart(5, "0")}` as MachineId;
const member = (number: number, name = `machine-${number}`) => ({
  machineId: machineId(number),
  name,
  address: `10.1.0.${number}`,
  address6: `fd00:1::${number.toString(16)}`,
  publicKey: keyOf(String.fromCharCode(65 + (number % 26))),
  candidates: [],
});
const device = { interfaceName: "bkt-prod", listenPort: 51_820, publicKey: keyOf("B"), privateKeyFile: "/keys/prod" };
const mesh = { id: MESH_A, name: "prod", cidr: "10.1.0.0/16", cidr6: "fd00:1::/64", asn: 4_200_000_001 };
const meshOf = (...members: object[]) => DesiredMesh.parse({ mesh, epoch: "e", revision: 1, members });
const SELF = machineId(1);

const decided = (changes: Partial<PathDecision> = {}): PathDecision => ({
  endpoint: "203.0.113.2:51820" as PathDecision["endpoint"],
  version: 3,
  keepaliveSeconds: 25,
  gatewayId: null,
  ...changes,
});
type Decisions = ReadonlyMap<MachineId, PathDecision>;

const toDevice = (
  desired: DesiredMesh,
  decisions: Decisions = new Map(),
  { peerCache = createPeerCache(), heldAddresses = [] as string[], routed = new Map() as RoutedPrefixes | null } = {},
) =>
  toDesiredDevice({
    ...{ desired, machineId: SELF, device, peerCache, heldAddresses, routed },
    networks: toAnnouncedNetworks(desired),
    decisionOf: (peerId: PeerRow["machineId"]) => decisions.get(peerId) ?? null,
  });

describe("toDesiredDevice", () => {
  it("gives the device its own addresses with the mesh's networks, and everybody else as a peer where it was decided", () => {
    expect(toDevice(meshOf(member(1), member(2)), new Map([[machineId(2), decided()]]))).toEqual({
      ...device,
      meshId: MESH_A,
      mtuBytes: 1_420,
      forwardsTo: [],
      networks: [],
      areRoutesKnown: true,
      addresses: ["10.1.0.1/16", "fd00:1::1/64"],
      peers: [
        {
          machineId: machineId(2),
          publicKey: keyOf("C"),
          allowedIps: ["10.1.0.2/32", "fd00:1::2/128"],
          endpoint: "203.0.113.2:51820",
          endpointVersion: 3,
          keepaliveSeconds: 25,
        },
      ],
    });
  });

  it("has nothing to say while this machine is not a member", () => {
    expect(toDevice(meshOf(member(2)))).toBeNull();
  });

  it.each([
    [true, "transit", ["bkt-prod"]],
    [true, "relay-then-transit", ["bkt-prod"]],
    [true, "transit-then-relay", ["bkt-prod"]],
    [true, "relay", []],
    [false, "transit", []],
  ])(
    "forwards from member to member when it is a gateway (%s) and the mesh's fallback allows it (%s)",
    (isGateway, fallback, to) => {
      const desired = DesiredMesh.parse({ ...meshOf({ ...member(1), isGateway }), mesh: { ...mesh, fallback } });
      expect(toDevice(desired)).toMatchObject({ forwardsTo: to });
    },
  );

  it("changes nothing about where a peer is while nothing is decided", () => {
    expect(toDevice(meshOf(member(1), member(2)))?.peers).toMatchObject([
      { endpoint: null, endpointVersion: 0, keepaliveSeconds: 0 },
    ]);
  });

  it("makes anew only the peers whose row or decision is another", () => {
    const before = meshOf(member(1), member(2), member(3));
    const renamed = DesiredMesh.parse({ ...before, members: [member(3, "other")] }).members;
    const after = { ...before, revision: 2, members: [...before.members.slice(0, 2), ...renamed] };
    const decisions = new Map([2, 3].map((number) => [machineId(number), decided()]));
    const cache = createPeerCache();
    const first = toDevice(before, decisions, { peerCache: cache });
    const second = toDevice(after, decisions, { peerCache: cache });
    expect(second?.peers[0]).toBe(first?.peers[0]);
    expect(second?.peers[1]).not.toBe(first?.peers[1]);
    const third = toDevice(after, new Map(decisions).set(machineId(2), decided({ version: 4 })), { peerCache: cache });
    expect(third?.peers[0]).toMatchObject({ endpointVersion: 4 });
    expect(third?.peers[1]).toBe(second?.peers[1]);
  });
});

describe("a pair that goes through a gateway", () => {
  const gatewayId = machineId(2);
  const through = decided({ endpoint: "127.0.0.1:40000" as PathDecision["endpoint"], gatewayId });
  const direct = decided();
  const allowedOf = (members: object[], decisions: Decisions) =>
    toDevice(meshOf(member(1), ...members), decisions)?.peers.map(({ allowedIps }) => allowedIps);
  const addresses = (...numbers: number[]) =>
    numbers.flatMap((number) => [`10.1.0.${number}/32`, `fd00:1::${number.toString(16)}/128`]);

  it("has its addresses at the gateway's peer, and stays a peer itself, without any", () => {
    const decisions = new Map([
      [gatewayId, direct],
      [machineId(3), through],
      [machineId(4), through],
    ]);
    const allowed = allowedOf([member(2), member(3), member(4), member(5)], decisions);
    expect(allowed).toEqual([addresses(2, 3, 4), [], [], addresses(5)]);
  });

  it("has its addresses back when it is direct again", () => {
    const cache = createPeerCache();
    const desired = meshOf(member(1), member(2), member(3));
    const decisions = (third: PathDecision) =>
      new Map([
        [gatewayId, direct],
        [machineId(3), third],
      ]);
    toDevice(desired, decisions(through), { peerCache: cache });
    const peers = toDevice(desired, decisions(direct), { peerCache: cache })?.peers;
    expect(peers?.map(({ allowedIps }) => allowedIps)).toEqual([addresses(2), addresses(3)]);
  });

  it("keeps its addresses when the gateway is no member any more", () => {
    expect(allowedOf([member(3)], new Map([[machineId(3), through]]))).toEqual([addresses(3)]);
  });

  it("takes along what is behind its peers", () => {
    const desired = meshOf(member(1), { ...member(2), isGateway: true }, member(3));
    const routed = new Map([
      [gatewayId, ["172.20.0.0/16"]],
      [machineId(3), ["192.168.5.0/24", "fd00:5::/64"]],
    ]) as unknown as RoutedPrefixes;
    const allowedBy = (decision: PathDecision) =>
      toDevice(desired, new Map([[machineId(3), decision]]), { routed })?.peers.map(({ allowedIps }) => allowedIps);

    expect(allowedBy(decided())).toEqual([
      [...addresses(2), "172.20.0.0/16"],
      [...addresses(3), "192.168.5.0/24", "fd00:5::/64"],
    ]);
    expect(allowedBy(through)).toEqual([
      [...addresses(2), "172.20.0.0/16", ...addresses(3), "192.168.5.0/24", "fd00:5::/64"],
      [],
    ]);
  });

  it("says so while nobody knows what is behind its peers", () => {
    expect(toDevice(meshOf(member(1)), new Map(), { routed: null })).toMatchObject({ areRoutesKnown: false });
  });

  it("has what this machine announces: addresses of VIPs that it holds right now, networks in any case", () => {
    const [vip, route] = ["vip_01arz3ndektsv4rrffq69g5fav", "rt_01arz3ndektsv4rrffq69g5fav"];
    const desired = DesiredMesh.parse({
      ...meshOf(member(1)),
      announcements: [
        { id: vip, prefixes: ["10.1.0.99/32", "fd00:1::63/128"], machineIds: [SELF] },
        { id: route, prefixes: ["192.168.7.0/24"], machineIds: [SELF, machineId(2)] },
        { id: "rt_01arz3ndektsv4rrffq69g5fzz", prefixes: ["192.168.8.0/24"], machineIds: [machineId(2)] },
      ],
      duties: [
        { id: vip, isVip: true },
        { id: route, isMasquerading: true },
      ],
    });
    const heldAddresses = toHeldAddresses(desired, (id) => id === vip);

    expect(heldAddresses).toEqual(["10.1.0.99/32", "fd00:1::63/128"]);
    expect(toHeldAddresses(desired, () => false)).toEqual([]);
    expect(toDevice(desired, new Map(), { heldAddresses })).toMatchObject({
      addresses: ["10.1.0.1/16", "fd00:1::1/64", "10.1.0.99/32", "fd00:1::63/128"],
      networks: [{ prefix: "192.168.7.0/24", isMasquerading: true }],
    });
  });
});
