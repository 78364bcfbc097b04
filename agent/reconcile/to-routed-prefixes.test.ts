import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DesiredMesh } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { isDefaultRoute, isWithin } from "#schema/prefix";
import type { KernelRoute } from "../net/kernel-routes.ts";
import { keyOf, MESH_A } from "../testing/desired-devices.ts";
import { createRoutingCache, mayHaveRoutes, toRoutedPrefixes } from "./to-routed-prefixes.ts";

const machineId = (number: number) => `mch_01arz3ndektsv4rrffq69${String(number).padStart(5, "0")}` as MachineId;
const [SELF, ONE, TWO, GATEWAY] = [machineId(1), machineId(2), machineId(3), machineId(4)];
const member = (number: number) => ({
  machineId: machineId(number),
  name: `machine-${number}`,
  address: `10.1.0.${number}`,
  address6: `fd00:1::${number}`,
  publicKey: keyOf(String.fromCharCode(64 + number)),
  candidates: [],
  isGateway: number === 4,
});
const route = (number: number) => `rt_01arz3ndektsv4rrffq69${String(number).padStart(5, "0")}`;
const desired = DesiredMesh.parse({
  mesh: { id: MESH_A, name: "prod", cidr: "10.1.0.0/16", cidr6: "fd00:1::/64", asn: 4_200_000_001 },
  ...{ epoch: "e", revision: 1 },
  members: [1, 2, 3, 4].map(member),
  announcements: [
    { id: route(1), prefixes: ["192.168.5.0/24", "fd00:5::/64"], machineIds: [ONE, TWO] },
    { id: route(2), prefixes: ["192.168.6.0/24", "192.168.5.0/25"], machineIds: [ONE] },
    { id: route(3), prefixes: ["0.0.0.0/0", "::/0"], machineIds: [TWO] },
    { id: "vip_01arz3ndektsv4rrffq69g5fav", prefixes: ["10.1.0.99/32", "fd00:1::63/128"], machineIds: [SELF, ONE] },
    // What the control plane would never say.
    { id: route(4), prefixes: ["10.1.0.3/32", "fd00:1::3/128", "10.1.4.0/24"], machineIds: [ONE] },
  ],
});
const to = (prefix: string, nextHop: string | null, device = "bkt-prod") =>
  ({ prefix, nextHop, device, metric: 61_820 }) as KernelRoute;
const judge = (...routes: KernelRoute[]) =>
  toRoutedPrefixes({ desired, machineId: SELF, interfaceName: "bkt-prod", routes });

describe("what is behind a member", () => {
  it.each([
    ["192.168.5.0/24", "10.1.0.2", ONE],
    ["192.168.5.0/24", "10.1.0.3", TWO],
    ["192.168.5.0/25", "10.1.0.2", ONE],
    ["192.168.5.0/24", "fd00:1::2", ONE],
    ["fd00:5::/64", "fd00:1::3", TWO],
    ["0.0.0.0/0", "10.1.0.3", TWO],
    ["::/0", "fd00:1::3", TWO],
    ["10.1.0.99/32", "10.1.0.2", ONE],
    ["fd00:1::63/128", "fd00:1::2", ONE],
    ["172.20.0.0/16", "10.1.0.4", GATEWAY],
    ["192.168.6.0/24", "10.1.0.4", GATEWAY],
    ["fd00:9::/48", "fd00:1::4", GATEWAY],
  ])("is %s, when its next hop is %s", (prefix, nextHop, id) => {
    expect(judge(to(prefix, nextHop))).toEqual({ routed: new Map([[id, [prefix]]]), refused: [] });
  });

  it.each([
    ["192.168.6.0/24", "10.1.0.3", "not_authorised"],
    ["192.168.6.0/25", "10.1.0.2", "not_authorised"],
    ["192.168.0.0/16", "10.1.0.2", "not_authorised"],
    ["0.0.0.0/0", "10.1.0.2", "not_authorised"],
    ["0.0.0.0/0", "10.1.0.4", "not_authorised"],
    ["128.0.0.0/1", "10.1.0.4", "not_authorised"],
    ["::/0", "fd00:1::4", "not_authorised"],
    ["10.1.0.99/32", "10.1.0.3", "not_authorised"],
    ["10.1.0.77/32", "10.1.0.4", "not_authorised"],
    ["10.1.0.3/32", "10.1.0.2", "own_network"],
    ["fd00:1::3/128", "fd00:1::2", "own_network"],
    ["10.1.0.1/32", "10.1.0.4", "own_network"],
    ["10.1.0.2/32", "10.1.0.2", "own_network"],
    ["10.1.4.0/24", "10.1.0.2", "own_network"],
    ["10.1.0.0/16", "10.1.0.4", "own_network"],
    ["192.168.5.0/24", "10.1.0.9", "unknown_next_hop"],
    ["10.1.0.99/32", "10.1.0.1", "unknown_next_hop"],
    ["192.168.5.0/24", null, "no_single_next_hop"],
  ])("is not %s by %s: %s", (prefix, nextHop, reason) => {
    const refused = to(prefix, nextHop);
    expect(judge(refused)).toEqual({ routed: new Map(), refused: [{ route: refused, reason }] });
  });

  it("is nothing that leaves by another interface", () => {
    const refused = to("192.168.5.0/24", "10.1.0.2", "eth0");
    expect(judge(refused).refused).toEqual([{ route: refused, reason: "other_interface" }]);
  });

  it("is nothing that was not authorised, whatever is in the kernel", () => {
    const octet = fc.integer({ min: 0, max: 6 });
    const prefix = fc.oneof(
      fc.constantFrom("0.0.0.0/0", "::/0", "0.0.0.0/1", "10.0.0.0/8", "10.1.0.0/16", "fd00:1::/64", "fd00:1::3/128"),
      fc.tuple(octet, fc.constantFrom(24, 32)).map(([last, length]) => `10.1.0.${length === 32 ? last : 0}/${length}`),
      fc.tuple(octet, fc.constantFrom(24, 25)).map(([third, length]) => `192.168.${third}.0/${length}`),
      octet.map((last) => `fd00:1::${last}/128`),
      octet.map((group) => `fd00:${group}::/64`),
    );
    const nextHop = fc.oneof(
      octet.map((last) => `10.1.0.${last}`),
      octet.map((last) => `fd00:1::${last}`),
      fc.constantFrom(null, "192.0.2.1", "127.0.0.1", "fe80::1"),
    );
    const device = fc.constantFrom("bkt-prod", "eth0", "");
    const routes = fc.array(
      fc.tuple(prefix, nextHop, device).map((parts) => to(...parts)),
      { maxLength: 30 },
    );
    const addresses = new Set(desired.members.flatMap(({ address, address6 }) => [`${address}/32`, `${address6}/128`]));

    fc.assert(
      fc.property(routes, (all) => {
        const { routed, refused } = judge(...all);
        const accepted = [...routed].flatMap(([id, prefixes]) => prefixes.map((one) => [id, one] as const));
        expect(accepted.length + refused.length).toBe(all.length);
        for (const [id, one] of accepted) {
          const row = desired.members.find((other) => other.machineId === id);
          expect(all).toContainEqual(
            expect.objectContaining({ prefix: one, nextHop: expect.toBeOneOf([row?.address, row?.address6]) }),
          );
          expect(id).not.toBe(SELF);
          expect(addresses).not.toContain(one);
          const isNamed = desired.announcements?.some(
            ({ prefixes, machineIds }) => prefixes.includes(one) && machineIds.includes(id),
          );
          if (isNamed) continue;
          expect(row?.isGateway).toBe(true);
          expect(isDefaultRoute(one)).toBe(false);
          expect(isWithin(one, one.includes(":") ? desired.mesh.cidr6 : desired.mesh.cidr)).toBe(false);
        }
      }),
    );
  });
});

describe("the same routes", () => {
  const inputs = (changes: object = {}) => ({
    desired,
    machineId: SELF,
    interfaceName: "bkt-prod",
    routes,
    ...changes,
  });
  const routes = [to("192.168.5.0/24", "10.1.0.2"), to("0.0.0.0/0", "10.1.0.3")];

  it("of the same mesh are worked out once", () => {
    const toRouting = createRoutingCache();
    const first = toRouting(inputs());
    expect(toRouting(inputs({ desired: { ...desired, revision: 2 } }))).toBe(first);
    expect(toRouting(inputs({ desired: { ...desired, announcements: [] } })).routed.size).toBe(0);
  });

  it("leave what is behind others the same list", () => {
    const toRouting = createRoutingCache();
    const first = toRouting(inputs());
    const second = toRouting(inputs({ routes: [...routes, to("192.168.6.0/24", "10.1.0.2")] }));
    expect(second.routed.get(TWO)).toBe(first.routed.get(TWO));
    expect(second.routed.get(ONE)).toEqual(["192.168.5.0/24", "192.168.6.0/24"]);
  });
});

it("there may be routes where somebody announces some, or brings some from elsewhere", () => {
  const nobody = desired.members.filter(({ isGateway }) => !isGateway);
  expect(mayHaveRoutes(desired)).toBe(true);
  expect(mayHaveRoutes({ ...desired, announcements: [] })).toBe(true);
  expect(mayHaveRoutes({ members: nobody, announcements: [] })).toBe(false);
  expect(mayHaveRoutes({ members: nobody, announcements: null })).toBe(false);
});
