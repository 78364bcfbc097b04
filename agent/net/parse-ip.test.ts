import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isParseError } from "../system/parse-error.ts";
import { toHostCandidates, toLocalAddresses } from "./local-addresses.ts";
import { parseLinks, parseRoutes } from "./parse-ip.ts";

const [recordedLinks = "", recordedRoutes = ""] = readFileSync(
  new URL("./testdata/ip-6.1-batch.txt", import.meta.url),
  "utf8",
).split("\n");

it("leaves out the routes of our BIRDs, and no others", () => {
  const route = (dst: string, marks: object) => ({ type: "unicast", dst, gateway: "10.1.0.2", dev: "bkt-a", ...marks });
  const text = JSON.stringify([
    route("192.168.5.0/24", { protocol: "bird", metric: 61_820 }),
    route("192.168.6.0/24", { protocol: "bird", metric: 32 }),
    route("192.168.7.0/24", { protocol: "static", metric: 61_820 }),
    route("192.168.8.0/24", { protocol: "bird" }),
  ]);
  expect(parseRoutes(text).map(({ destination }) => destination)).toEqual([
    "192.168.6.0/24",
    "192.168.7.0/24",
    "192.168.8.0/24",
  ]);
});

describe("parseLinks", () => {
  it("reads what iproute2 6.1 really says", () => {
    const links = parseLinks(recordedLinks);

    expect(links.map(({ name, kind, isUp, isLoopback, mtuBytes }) => [name, kind, isUp, isLoopback, mtuBytes])).toEqual(
      [
        ["lo", null, true, true, 65_536],
        ["docker0", "bridge", true, false, 1_500],
        ["sw0", "veth", true, false, 1_500],
        ["eth0", "veth", true, false, 1_500],
        ["bkt-a", "tun", true, false, 1_420],
      ],
    );
    const own = links.at(-1);
    expect(own?.alias).toBe("becket msh_01arz3ndektsv4rrffq69g5fav");
    expect(own?.addresses.map(({ address, prefixLength, scope }) => `${address}/${prefixLength} ${scope}`)).toEqual([
      "10.1.0.1/16 global",
      "fd00:1::1/64 global",
      "fe80::eb96:3a9a:7a15:4571/64 link",
    ]);
  });

  it("passes over the empty entries of a filtered list, and takes no output for no links", () => {
    expect(parseLinks("[{},{},{}]")).toEqual([]);
    expect(parseLinks("")).toEqual([]);
  });

  it.each(["nonsense", "{}", '[{"ifname":7}]', '[{"ifname":"a","flags":[],"mtu":"1500"}]'])("refuses %s", (text) => {
    expect(() => parseLinks(text)).toThrow(/ip address, line 1/);
  });
});

describe("parseRoutes", () => {
  it("reads IPv6 routes as ip prints them", () => {
    const text = JSON.stringify([
      { dst: "fd00:7::/64", dev: "lan0", protocol: "kernel", metric: 256, flags: [], pref: "medium" },
      { dst: "fd00:9::1", gateway: "fe80::1", dev: "lan0", protocol: "static", metric: 1024, flags: [] },
      { dst: "default", protocol: "ra", metric: 100, nexthops: [{ gateway: "fe80::1", dev: "eth0", weight: 1 }] },
      { type: "blackhole", dst: "fd00:8::/64", dev: "lo", metric: 1024, flags: [] },
    ]);
    expect(parseRoutes(text, true)).toEqual([
      { destination: "fd00:7::/64", device: "lan0", protocol: "kernel" },
      { destination: "fd00:9::1/128", device: "lan0", protocol: "static" },
      { destination: "::/0", device: "eth0", protocol: "ra" },
    ]);
  });

  it("reads what iproute2 6.1 really says, without routes that lead nowhere", () => {
    expect(parseRoutes(recordedRoutes).map(({ destination, device }) => `${destination} ${device}`)).toEqual([
      "0.0.0.0/0 eth0",
      "10.1.0.0/16 bkt-a",
      "10.50.0.0/16 eth0",
      "10.60.0.5/32 eth0",
      "10.98.0.0/16 eth0",
      "172.17.0.0/16 docker0",
      "203.0.113.0/24 eth0",
    ]);
  });

  it("answers any text with a value or a ParseError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const parse of [parseLinks, parseRoutes]) {
          try {
            parse(text);
          } catch (error) {
            expect(isParseError(error)).toBe(true);
          }
        }
      }),
    );
  });
});

describe("toLocalAddresses", () => {
  it("offers addresses of real networks only: no loopback, no container bridge, no link-local, nothing of ours", () => {
    const addresses = toLocalAddresses(parseLinks(recordedLinks));

    expect(addresses).toEqual([
      { interfaceName: "eth0", address: "203.0.113.7", prefixLength: 24 },
      { interfaceName: "eth0", address: "2001:db8::7", prefixLength: 64 },
    ]);
    expect(toHostCandidates(addresses, 51_820)).toEqual([
      { type: "host", endpoint: "203.0.113.7:51820" },
      { type: "host", endpoint: "[2001:db8::7]:51820" },
    ]);
  });

  const link = { name: "eth0", kind: null, alias: null, isUp: true, isLoopback: false, mtuBytes: 1_500 };
  const address = (text: string, isTemporary = false) => ({
    address: text,
    prefixLength: 24,
    scope: "global",
    isTemporary,
  });

  it.each(["bkt-office", "docker0", "br-0123456789ab", "veth12ab34cd", "virbr0", "cni0", "flannel.1", "podman1"])(
    "offers nothing of %s",
    (name) => {
      expect(toLocalAddresses([{ ...link, name, addresses: [address("192.168.1.5")] }])).toEqual([]);
    },
  );

  it.each(["br0", "vmbr0", "eth0.100", "bond0", "wlan0", "veth0"])("offers what %s has", (name) => {
    expect(toLocalAddresses([{ ...link, name, addresses: [address("192.168.1.5")] }])).toHaveLength(1);
  });

  it("offers no address that goes away by itself, is link-local, or is on a link that is down or a tunnel", () => {
    expect(toLocalAddresses([{ ...link, addresses: [address("2001:db8::1", true), address("169.254.7.7")] }])).toEqual(
      [],
    );
    expect(toLocalAddresses([{ ...link, isUp: false, addresses: [address("192.168.1.5")] }])).toEqual([]);
    expect(toLocalAddresses([{ ...link, name: "wg0", kind: "wireguard", addresses: [address("10.8.0.1")] }])).toEqual(
      [],
    );
  });

  it("offers at most as many as a member may have", () => {
    const many = Array.from({ length: 40 }, (_, index) => address(`192.168.1.${index}`));

    expect(toHostCandidates(toLocalAddresses([{ ...link, addresses: many }]), 51_820)).toHaveLength(16);
  });
});
