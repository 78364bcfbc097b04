import { describe, expect, test } from "vitest";
import { pickIpv4, planFarEnd, planIpv4Change, planNearEnd } from "./links.ts";
import { planLab } from "./plan.ts";
import { parseTopology, type TopologyInput } from "./topology.ts";

const TWO_HOMES: TopologyInput = {
  lans: [
    { name: "home", ipv4: "192.168.1.0/24" },
    { name: "office", ipv4: "192.168.1.0/24", ipv6: "global" },
  ],
  machines: [
    { name: "alice", lan: "home" },
    { name: "oscar", lan: "office" },
    { name: "carol" },
    { name: "dave", ipv6: "none" },
  ],
};

describe("the address plan", () => {
  test("gives each site public addresses of its own, and machines on LANs private ones", () => {
    expect(renderAddresses(TWO_HOMES)).toEqual([
      "internet 192.0.2.1",
      "control 192.0.2.10 2001:db8::10",
      "stun 192.0.2.20 2001:db8::20",
      "home 203.0.113.10",
      "alice 192.168.1.10",
      "office 203.0.113.11 2001:db8:1::b",
      "oscar 192.168.1.10 2001:db8:101::a",
      "carol 198.51.100.10 2001:db8:2::a",
      "dave 198.51.100.11",
    ]);
  });

  test("fills a LAN to its last address without giving the router's away", () => {
    const machines = Array.from({ length: 5 }, (_, index) => ({ name: `m${index}`, lan: "home" }));
    const addresses = renderAddresses({ lans: [{ name: "home", ipv4: "10.0.0.0/29" }], machines }).slice(4);
    expect(addresses).toEqual(["m0 10.0.0.2", "m1 10.0.0.3", "m2 10.0.0.4", "m3 10.0.0.5", "m4 10.0.0.6"]);
  });

  test("puts the routers of a carrier's customers on the carrier's network, and those that map ports on one of their own", () => {
    const lans = [
      { name: "home", carrier: "telco" },
      { name: "flat", carrier: "telco" },
      { name: "office", nat: "mapped" as const },
    ];
    const machines = [
      { name: "alice", lan: "home" },
      { name: "six", ipv4: "none" as const },
    ];
    expect(renderAddresses({ carriers: [{ name: "telco" }], lans, machines }).slice(3)).toEqual([
      "telco 203.0.113.13",
      "home 100.64.0.10",
      "alice 192.168.1.10",
      "flat 100.64.0.11",
      "office 203.0.114.12",
      "six 2001:db8:2::a",
    ]);
  });

  test("wraps round to the low addresses of a full /24", () => {
    const machines = Array.from({ length: 253 }, (_, index) => ({ name: `m${index}`, lan: "home" }));
    const addresses = renderAddresses({ lans: [{ name: "home" }], machines }).slice(4);
    expect(new Set(addresses.map((line) => line.split(" ")[1])).size).toBe(253);
    expect(addresses.at(-1)).toBe("m252 192.168.1.9");
  });
});

describe("a link", () => {
  test("to the internet is point-to-point, with the router as on-link gateway", () => {
    const { link, addresses } = linkOf("carol");
    expect(planNearEnd(link, addresses)).toEqual([
      "address replace 198.51.100.10/32 dev eth0",
      "address replace 2001:db8:2::a/128 dev eth0 nodad",
      "link set eth0 up",
      "route replace default via 192.0.2.1 dev eth0 onlink",
      "route replace ::/0 via fe80::1 dev eth0",
    ]);
  });

  test("of a LAN with IPv6 also carries the LAN's prefix", () => {
    const { link, addresses } = linkOf("office");
    expect(planFarEnd(link, addresses)).toContain("route replace 2001:db8:101::/64 via 2001:db8:1::b dev office");
  });

  test("on a LAN ends in the router's bridge", () => {
    const { link, addresses } = linkOf("oscar");
    expect(planFarEnd(link, addresses)).toEqual(["link set oscar master lan", "link set oscar up"]);
  });

  test("moves to a new address at both ends when it is public, at the near end alone on a LAN", () => {
    const change = { from: "198.51.100.10", to: "198.51.100.254" };
    expect(planIpv4Change(linkOf("carol").link, change).far).toEqual([
      "route replace 198.51.100.254/32 dev carol",
      "route del 198.51.100.10/32 dev carol",
    ]);
    expect(planIpv4Change(linkOf("alice").link, { from: "192.168.1.10", to: "192.168.1.254" })).toEqual({
      near: [
        "address del 192.168.1.10/24 dev eth0",
        "address add 192.168.1.254/24 dev eth0",
        "route replace default via 192.168.1.1 dev eth0",
      ],
      far: [],
    });
  });

  test("gets new addresses from the top of its network, never a taken one or the gateway's", () => {
    const { link } = linkOf("alice");
    expect(pickIpv4(link, new Set(["192.168.1.254"]))).toBe("192.168.1.253");
    const all = new Set(
      Array.from({ length: 255 }, (_, host) => `192.168.1.${host}`).filter((one) => one !== "192.168.1.1"),
    );
    expect(pickIpv4(link, all)).toBeNull();
  });
});

function plan(input: TopologyInput) {
  const parsed = parseTopology(input);
  if (!parsed.ok) throw new Error(parsed.error.join("\n"));
  return planLab(parsed.value);
}

function renderAddresses(input: TopologyInput): string[] {
  return plan(input).nodes.map(({ name, ipv4, ipv6 }) => [name, ipv4, ipv6].filter(Boolean).join(" "));
}

function linkOf(name: string) {
  const { links, nodes } = plan(TWO_HOMES);
  const link = links.find((candidate) => candidate.near.node === name);
  const addresses = nodes.find((node) => node.name === name);
  if (!link || !addresses) throw new Error(`no link of ${name}`);
  return { link, addresses };
}
