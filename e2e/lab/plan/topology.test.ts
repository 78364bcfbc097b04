import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { planLab } from "./plan.ts";
import { parseTopology } from "./topology.ts";

describe("a topology", () => {
  test("may leave out what has a default", () => {
    const parsed = parseTopology({ lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home" }] });
    expect(parsed.ok && parsed.value.lans).toEqual([{ name: "home", nat: "easy", ipv6: "none" }]);
  });

  test.each([
    [
      "a LAN that does not exist",
      { machines: [{ name: "alice", lan: "hme" }] },
      'machines[0].lan: there is no LAN named "hme"',
    ],
    [
      "a name used twice",
      { lans: [{ name: "home" }], machines: [{ name: "home" }] },
      'machines[0].name: "home" is taken; carriers, LANs and machines share one set of names',
    ],
    [
      "a name that Linux can't give to a device",
      { machines: [{ name: "a-much-too-long-name" }] },
      "machines[0].name: must be 1 to 15 lower-case letters, digits or hyphens, and begin with a letter",
    ],
    [
      "a name that the lab uses itself",
      { machines: [{ name: "control" }] },
      "machines[0].name: must not be one of internet, control, stun, lan, wan, lo",
    ],
    [
      "a LAN with public addresses",
      { lans: [{ name: "home", ipv4: "8.8.8.0/24" }], machines: [{ name: "alice", lan: "home" }] },
      "lans[0].ipv4: must be a private IPv4 network of /8 to /29, like 192.168.1.0/24",
    ],
    [
      "IPv6 asked for on a machine behind a LAN",
      { lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home", ipv6: "global" }] },
      "machines[0].ipv6: is for public machines; a machine on a LAN follows its LAN",
    ],
    [
      "a firewall on a machine behind a LAN",
      { lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home", firewall: true }] },
      "machines[0].firewall: is for public machines; a machine on a LAN follows its LAN",
    ],
    [
      "a machine without any address",
      { machines: [{ name: "carol", ipv4: "none", ipv6: "none" }] },
      "machines[0].ipv6: is all that is left without IPv4",
    ],
    [
      "two machines behind a full-cone NAT",
      {
        lans: [{ name: "home", nat: "full-cone" }],
        machines: [
          { name: "alice", lan: "home" },
          { name: "bob", lan: "home" },
        ],
      },
      "lans[0].nat: a full-cone NAT opens all ports to one machine; put no other on this LAN",
    ],
    [
      "a carrier that does not exist",
      { lans: [{ name: "home", carrier: "telco" }], machines: [{ name: "alice", lan: "home" }] },
      'lans[0].carrier: there is no carrier named "telco"',
    ],
    [
      "mapped ports behind a carrier",
      {
        carriers: [{ name: "telco" }],
        lans: [{ name: "home", carrier: "telco", nat: "mapped" }],
        machines: [{ name: "alice", lan: "home" }],
      },
      "lans[0].nat: a router maps no ports behind a carrier: its address is not public",
    ],
    [
      "an unknown kind of NAT",
      { lans: [{ name: "home", nat: "odd" }], machines: [{ name: "a" }] },
      /^lans\[0\]\.nat: /,
    ],
    ["an unknown field", { machines: [{ name: "alice", lan6: "x" }] }, 'machines[0]: Unrecognized key: "lan6"'],
    ["no machines", { machines: [] }, /^machines: /],
    ["something else", "four machines", /^topology: /],
  ])("is refused for %s, naming the field", (_, value, message) => {
    const parsed = parseTopology(value);
    expect(parsed.ok ? [] : parsed.error).toEqual([
      typeof message === "string" ? message : expect.stringMatching(message),
    ]);
  });

  test("is refused when a LAN has too few addresses for its machines", () => {
    const machines = Array.from({ length: 6 }, (_, index) => ({ name: `m${index}`, lan: "home" }));
    const parsed = parseTopology({ lans: [{ name: "home", ipv4: "10.0.0.0/29" }], machines });
    expect(parsed.ok ? [] : parsed.error).toEqual(["lans[0].ipv4: has too few addresses for 6 machines"]);
  });

  test.each(readExamples())("%s, an example, can be planned", (_, text) => {
    const parsed = parseTopology(JSON.parse(text));
    expect(parsed.ok && planLab(parsed.value).nodes.length).toBeGreaterThan(2);
  });
});

function readExamples(): [string, string][] {
  const folder = path.join(import.meta.dirname, "../topologies");
  return readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), "utf8")]);
}
