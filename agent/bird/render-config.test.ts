import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Policies } from "#schema/policy";
import { birdConfig, birdMember, gatewayLink, prefix } from "../testing/bird-fixture.ts";
import type { BirdConfig } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const TESTDATA = path.join(import.meta.dirname, "testdata");
const hasBird = spawnSync("bird", ["--version"]).status === 0;

const LAN = prefix("192.168.50.0/24");
const LAN6 = prefix("fd50::/48");
const VIP = prefix("10.77.200.1/32");

const POLICIES = Policies.parse({
  import: {
    rules: [
      {
        match: { prefixes: ["10.0.0.0/8"], maxLength: 24, communities: ["65000:1"] },
        action: "accept",
        prependCount: 1,
      },
    ],
    ...{ defaultAction: "reject", defaultLocalPreference: null },
  },
  export: {
    rules: [{ match: { prefixes: ["10.0.0.0/8"] }, action: "reject" }],
    ...{ defaultAction: "accept", defaultLocalPreference: 50 },
  },
});

const CASES: Readonly<Record<string, BirdConfig>> = {
  "plain-member": birdConfig(1, { members: [birdMember(2), birdMember(3, { prefixes: [LAN, VIP] })] }),
  "announces-routes-and-vips": birdConfig(1, {
    members: [birdMember(2, { prefixes: [VIP] })],
    announcements: [
      { id: "rte_lan", prefixes: [LAN, LAN6], state: "announced" },
      { id: "vip_db", prefixes: [VIP], state: "withheld" },
      { id: "rte_moved", prefixes: [prefix("192.168.70.0/24"), prefix("fd70::/48")], state: "leaving" },
    ],
  }),
  "hostile-names": birdConfig(1, {
    members: [birdMember(2, { name: 'x"; }\n# é\u0000 \\" protocol static { ipv4; route 0.0.0.0/0 blackhole; }' })],
  }),
  "member-of-two-meshes": birdConfig(1, {
    networksOfOtherMeshes: [prefix("10.88.0.0/16"), prefix("fd88::/64")],
    members: [birdMember(2, { isGateway: true, prefixesOfOtherMeshes: [prefix("10.0.0.0/8"), prefix("fc00::/7")] })],
  }),
  "ipv6-prefixes": birdConfig(1, { members: [birdMember(2, { prefixes: [LAN6, prefix("fd77::ffff:1/128")] })] }),
  "reflector-mode": birdConfig(1, {
    isReflected: true,
    announcements: [{ id: "rte_lan", prefixes: [prefix("192.168.60.0/24")], state: "announced" }],
    members: [
      birdMember(2, { isGateway: true }),
      birdMember(3, { hasSession: false, prefixes: [LAN, LAN6] }),
      birdMember(4, { hasSession: false, prefixes: [VIP] }),
    ],
  }),
  "gateway-of-one-mesh": birdConfig(2, {
    isGateway: true,
    members: [birdMember(1, { prefixes: [LAN], bfd: "on" }), birdMember(5, { bfd: "ending" })],
  }),
  gateway: birdConfig(1, {
    isGateway: true,
    members: [birdMember(2, { prefixes: [LAN] })],
    gatewayLinks: [gatewayLink()],
  }),
  "gateway-with-policies": birdConfig(1, {
    ...{ isGateway: true, meshPolicies: POLICIES, machinePolicies: POLICIES },
    members: [birdMember(2, { isGateway: true, prefixes: [LAN], prefixesOfOtherMeshes: [prefix("0.0.0.0/0")] })],
    gatewayLinks: [gatewayLink({ prefixes: [prefix("0.0.0.0/0")] })],
  }),
  "member-of-a-gateway": birdConfig(2, {
    members: [
      birdMember(1, {
        isGateway: true,
        bfd: "on",
        prefixes: [VIP],
        prefixesOfOtherMeshes: [prefix("10.88.0.0/16"), prefix("192.168.88.0/24"), prefix("fd88::/64")],
      }),
    ],
  }),
};

describe.each(Object.entries(CASES))("%s", (name, config) => {
  const file = path.join(TESTDATA, name, "expected.conf");

  it("is what the golden file says", () => {
    const text = renderConfig(config);
    if (process.env.UPDATE_GOLDEN === "1") {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(readFileSync(file, "utf8"));
  });

  it.skipIf(!hasBird)("is taken by BIRD", () => {
    const { status, stderr } = spawnSync("bird", ["-p", "-c", file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

it("takes no interface name that is a pattern", () => {
  expect(() => renderConfig(birdConfig(1, { interfaceName: "bkt-*" }))).toThrow("no interface of ours");
});

it("lets nobody announce a member's address or a part of the mesh, even where the control plane says so", () => {
  const prefixes = [prefix("10.77.0.1/32"), prefix("10.77.0.3/32"), prefix("fd77::3/128"), prefix("10.77.4.0/24")];
  const config = birdConfig(1, { members: [birdMember(2, { prefixes: [...prefixes, LAN] }), birdMember(3)] });
  const accepted = renderConfig(config).match(/net ~ \[.*\] then accept/g);
  expect(accepted).toEqual(["net ~ [ 192.168.50.0/24 ] then accept"]);
});
