import { describe, expect, it } from "vitest";
import { DesiredMesh, type PeerRow } from "#schema/desired-state";
import { EAGER_MEMBERS } from "#schema/limits";
import type { LocalAddress } from "../net/local-addresses.ts";
import { keyOf, MESH_A } from "../testing/desired-devices.ts";
import { createPeerCache, toDesiredDevice } from "./to-desired-device.ts";

const machineId = (number: number) => `mch_01arz3ndektsv4rrffq69${String(number).padStart(5, "0")}`;
const member = (number: number, endpoints: string[] = []) => ({
  machineId: machineId(number),
  name: `machine-${number}`,
  address: `10.1.0.${number}`,
  address6: `fd00:1::${number.toString(16)}`,
  publicKey: keyOf(String.fromCharCode(65 + (number % 26))),
  candidates: endpoints.map((endpoint) => ({ type: "host", endpoint })),
});
const lan = (address: string, prefixLength = 24): LocalAddress => ({ interfaceName: "eth0", address, prefixLength });
const device = { interfaceName: "bkt-prod", listenPort: 51_820, publicKey: keyOf("B"), privateKeyFile: "/keys/prod" };

function convert(members: object[], localAddresses: LocalAddress[] = [lan("203.0.113.7")]) {
  const mesh = { id: MESH_A, name: "prod", cidr: "10.1.0.0/16", cidr6: "fd00:1::/64", asn: 4_200_000_001 };
  const desired = DesiredMesh.parse({ mesh, epoch: "e", revision: 1, members });
  return toDevice(desired, localAddresses);
}

function toDevice(desired: DesiredMesh, localAddresses: LocalAddress[], peerCache = createPeerCache()) {
  const self = machineId(1) as PeerRow["machineId"];
  return toDesiredDevice({ desired, machineId: self, device, localAddresses, peerCache });
}

describe("toDesiredDevice", () => {
  it("gives the device its own addresses with the mesh's networks, and everybody else as a peer", () => {
    expect(convert([member(1), member(2, ["203.0.113.2:51820"])])).toEqual({
      ...device,
      meshId: MESH_A,
      mtuBytes: 1_420,
      addresses: ["10.1.0.1/16", "fd00:1::1/64"],
      peers: [
        {
          machineId: machineId(2),
          publicKey: keyOf("C"),
          allowedIps: ["10.1.0.2/32", "fd00:1::2/128"],
          endpoint: "203.0.113.2:51820",
          toldEndpoints: ["203.0.113.2:51820"],
          keepaliveSeconds: 25,
        },
      ],
    });
  });

  it("has nothing to say while this machine is not a member", () => {
    expect(convert([member(2)])).toBeNull();
  });

  it("makes anew only the peers whose rows changed, and all when this machine is elsewhere", () => {
    const mesh = { id: MESH_A, name: "prod", cidr: "10.1.0.0/16", cidr6: "fd00:1::/64", asn: 4_200_000_001 };
    const row = (number: number, port: number) => member(number, [`203.0.113.${number}:${port}`]);
    const before = DesiredMesh.parse({ mesh, epoch: "e", revision: 1, members: [member(1), row(2, 1), row(3, 1)] });
    const moved = DesiredMesh.parse({ ...before, members: [row(3, 2)] }).members;
    const after = { ...before, revision: 2, members: [...before.members.slice(0, 2), ...moved] };
    const [cache, home, abroad] = [createPeerCache(), [lan("203.0.113.7")], [lan("198.51.100.7")]];
    const first = toDevice(before, home, cache);
    const second = toDevice(after, home, cache);
    expect(second?.peers[0]).toBe(first?.peers[0]);
    expect(second?.peers[1]?.endpoint).toBe("203.0.113.3:2");
    expect(toDevice(after, abroad, cache)?.peers[0]).not.toBe(first?.peers[0]);
    expect(toDevice(after, abroad, cache)).toEqual(toDevice(after, abroad));
  });

  describe("keepalives", () => {
    const many = (count: number, endpoint: string) =>
      Array.from({ length: count }, (_, index) => member(index + 1, index === 1 ? [endpoint] : []));
    const keepaliveOf = (count: number, endpoint: string, local: LocalAddress[]) =>
      convert(many(count, endpoint), local)?.peers[0]?.keepaliveSeconds;

    it("keep every pair of a small mesh warm, even without an endpoint", () => {
      expect(keepaliveOf(EAGER_MEMBERS, "203.0.113.2:51820", [lan("203.0.113.7")])).toBe(25);
      expect(convert([member(1), member(2)])?.peers[0]).toMatchObject({ endpoint: null, keepaliveSeconds: 25 });
    });

    it("are off in a large mesh, but for what has to keep our own NAT open", () => {
      const size = EAGER_MEMBERS + 1;
      expect(keepaliveOf(size, "203.0.113.2:51820", [lan("203.0.113.7")])).toBe(0);
      expect(keepaliveOf(size, "203.0.113.2:51820", [lan("192.168.1.7")])).toBe(25);
      expect(keepaliveOf(size, "192.168.1.2:51820", [lan("192.168.1.7")])).toBe(0);
    });
  });

  describe("the endpoint", () => {
    const endpointOf = (candidates: string[], local: LocalAddress[]) =>
      convert([member(1), member(2, candidates)], local)?.peers[0]?.endpoint;

    it.each<[string, string[], LocalAddress[], string | null]>([
      ["the private one on our own network", ["203.0.113.2:1", "192.168.1.2:1"], [lan("192.168.1.7")], "192.168.1.2:1"],
      [
        "the public one when the private one is elsewhere",
        ["192.168.1.2:1", "203.0.113.2:1"],
        [lan("192.168.2.7")],
        "203.0.113.2:1",
      ],
      ["none when the private one is elsewhere", ["192.168.1.2:1"], [lan("192.168.2.7")], null],
      ["none when there is none", [], [lan("203.0.113.7")], null],
      ["not our own address", ["192.168.122.1:1", "203.0.113.2:1"], [lan("192.168.122.1")], "203.0.113.2:1"],
      [
        "IPv6 when we have it",
        ["198.51.100.2:1", "[2001:db8:2::2]:1"],
        [lan("203.0.113.7"), lan("2001:db8::7", 64)],
        "[2001:db8:2::2]:1",
      ],
      ["IPv4 when we have no IPv6", ["[2001:db8:2::2]:1", "203.0.113.2:1"], [lan("203.0.113.7")], "203.0.113.2:1"],
      [
        "IPv4 when our IPv6 is private",
        ["[2001:db8:2::2]:1", "203.0.113.2:1"],
        [lan("192.168.1.7"), lan("fd00::7", 64)],
        "203.0.113.2:1",
      ],
      ["none when all is IPv6 and we have none", ["[2001:db8:2::2]:1"], [lan("192.168.1.7")], null],
    ])("is %s", (_, candidates, local, expected) => {
      expect(endpointOf(candidates, local)).toBe(expected);
    });
  });
});
