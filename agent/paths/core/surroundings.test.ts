import { describe, expect, test } from "vitest";
import type { Endpoint } from "#schema/address";
import { toPlace, toSurroundings } from "./surroundings.ts";

const LAN = { interfaceName: "eth0", address: "192.168.1.10", prefixLength: 24 };
const IPV6 = { interfaceName: "eth0", address: "2001:db8:1::10", prefixLength: 64 };
const ROUTED = ["192.168.0.0/16", "192.168.1.0/24", "203.0.113.0/24", "2001:db8:3::/48", "0.0.0.0/0", "::/0"];
const MESHES = ["10.1.0.0/16", "fd5a:7c1e:9b02::/64", "10.7.0.0/24", "fd5a:7c1e:9b03::/64"];

const isReachable = (endpoint: string, local = [LAN, IPV6]) =>
  toPlace(endpoint as Endpoint, toSurroundings(local, { meshes: MESHES, routed: ROUTED })).isReachable;

describe("checks may go", () => {
  test.each([
    "198.51.100.2:51820",
    "192.168.1.11:51820",
    // On this LAN, which somebody announces, too: the machine's own route comes first. So does its default route.
    "192.168.1.12:51820",
    "10.9.0.2:51820",
    "100.64.0.7:51820",
    "[2001:db8:2::1]:51820",
    "[fd00::2]:51820",
  ])("to %s", (endpoint) => {
    expect(isReachable(endpoint)).toBe(true);
  });

  test("only where this machine has an address of the family", () => {
    expect(isReachable("198.51.100.2:1", [IPV6])).toBe(false);
    expect(isReachable("[2001:db8:2::1]:1", [LAN])).toBe(false);
    expect(isReachable("198.51.100.2:1", [])).toBe(false);
  });
});

describe("checks never go", () => {
  test.each([
    ["to this machine", "192.168.1.10:51820"],
    ["to this machine, over IPv6", "[2001:db8:1::10]:51820"],
    ["to its loopback", "127.0.0.1:53"],
    ["to any of its loopback", "127.8.8.8:53"],
    ["to its loopback, over IPv6", "[::1]:53"],
    ["to its loopback in IPv6's clothes", "[::ffff:127.0.0.1]:53"],
    ["to no address", "0.0.0.0:53"],
    ["to no address of this network", "0.0.0.1:53"],
    ["to no address, over IPv6", "[::]:53"],
    ["to a group", "239.255.255.250:1900"],
    ["to a group, over IPv6", "[ff02::fb]:5353"],
    ["to everybody", "255.255.255.255:67"],
    ["to everybody on the LAN", "192.168.1.255:67"],
    ["to a link-local address", "169.254.169.254:80"],
    ["to a link-local address, over IPv6", "[fe80::1]:51820"],
    ["to class E", "240.0.0.1:51820"],
    ["to port 0", "198.51.100.2:0"],
    ["into the mesh", "10.1.0.7:51820"],
    ["into the mesh, over IPv6", "[fd5a:7c1e:9b02::7]:51820"],
    ["into what is behind a member", "192.168.2.11:51820"],
    ["into what is behind a member, though it is a public address", "203.0.113.5:51820"],
    ["into what is behind a member, over IPv6", "[2001:db8:3::1]:51820"],
    ["into another mesh of this machine", "10.7.0.7:51820"],
    ["into another mesh of this machine, over IPv6", "[fd5a:7c1e:9b03::7]:51820"],
  ])("%s", (_, endpoint) => {
    expect(isReachable(endpoint)).toBe(false);
  });

  test("into a mesh's network, but for the LAN that lies inside it", () => {
    const inside = [{ ...LAN, address: "10.1.5.10" }];
    expect(isReachable("10.1.5.11:1", inside)).toBe(true);
    expect(isReachable("10.1.6.11:1", inside)).toBe(false);
    const around = [{ ...LAN, address: "10.0.0.10", prefixLength: 8 }];
    expect(isReachable("10.1.0.7:1", around)).toBe(false);
    expect(isReachable("10.2.0.7:1", around)).toBe(true);
    expect(isReachable("10.7.0.7:1", [{ ...LAN, address: "10.7.0.10" }])).toBe(false);
  });

  test("to the broadcast address of a network, but a network of two hosts has none", () => {
    expect(isReachable("192.168.1.11:1", [{ ...LAN, prefixLength: 31 }])).toBe(true);
  });
});
