import { expect, test } from "vitest";
import type { RoutesReply } from "#schema/local/status";
import { Prefix } from "#schema/prefix";
import { testMachineId, testMeshId } from "../testing/mesh-model.ts";
import { type RoutesShown, renderRoutes } from "./render-routes.ts";

const NOW = Date.parse("2026-01-01T00:10:00.000Z");
const peer = (number: number, name: string) => ({ machineId: testMachineId(number), name });
const route = (prefix: string, change: Partial<RoutesReply["routes"][number]> = {}): RoutesReply["routes"][number] => ({
  ...{ meshId: testMeshId(0), mesh: "office", prefix: Prefix.parse(prefix), nextHop: "10.1.0.3" },
  origin: peer(3, "build-server"),
  source: { kind: "peer", protocol: testMachineId(3), ...peer(3, "build-server"), meshId: null },
  ...{ asPath: [], localPreference: 100, med: null, communities: [], isBest: true, filterReason: null },
  since: "2026-01-01T00:09:18.000Z",
  ...change,
});
const render = (change: Partial<RoutesReply>, shown: Partial<RoutesShown> = {}) => {
  const reply = { routes: [], isTruncated: false, problems: [], ...change };
  return `\n${renderRoutes(reply, { nowMs: NOW, isFiltered: false, refusedCount: 0, ...shown })}\n`;
};

test("routes are a table, the used ones marked", () => {
  const gateway = peer(9, "gw-1");
  const none = { machineId: null, name: null };
  const routes = [
    route("10.1.200.9/32", {
      ...{ nextHop: null, origin: peer(1, "here"), localPreference: null },
      source: { kind: "own", protocol: "announce_vip_ipv4", ...none, meshId: null },
    }),
    route("192.168.7.0/24"),
    route("192.168.7.0/24", {
      isBest: false,
      source: { kind: "peer", protocol: gateway.machineId, ...gateway, meshId: null },
    }),
    route("fd00:7::/64", { nextHop: "fd00:1::3", med: 20, communities: ["65000:100", "65000:200"] }),
    route("10.2.0.0/16", {
      ...{ meshId: testMeshId(1), mesh: "lab", nextHop: "10.1.0.9", origin: null, asPath: ["4200000001"] },
      source: { kind: "gateway_link", protocol: "gw", ...none, meshId: testMeshId(0) },
    }),
  ];
  expect(render({ routes, isTruncated: true })).toMatchInlineSnapshot(`
    "
    MESH       PREFIX          NEXT HOP   ORIGIN        SOURCE        AS PATH     PREF  MED  COMMUNITIES           AGE
    office  *  10.1.200.9/32   -          here          this machine  -              -    -  -                    42 s
    office  *  192.168.7.0/24  10.1.0.3   build-server  build-server  -            100    -  -                    42 s
    office     192.168.7.0/24  10.1.0.3   build-server  gw-1          -            100    -  -                    42 s
    office  *  fd00:7::/64     fd00:1::3  build-server  build-server  -            100   20  65000:100 65000:200  42 s
    lab     *  10.2.0.0/16     10.1.0.9   -             mesh office   4200000001   100    -  -                    42 s

    There are more: name a prefix to see those in it.
    "
  `);
});

test("refused routes have the reason", () => {
  const filterReason = {
    code: "not_authorised",
    message: "no route or VIP of this mesh lets build-server announce 192.168.8.0/24",
  } as const;
  const routes = [route("192.168.8.0/24", { isBest: false, filterReason })];
  expect(render({ routes }, { isFiltered: true })).toMatchInlineSnapshot(`
    "
    MESH      PREFIX          NEXT HOP  ORIGIN        SOURCE        AS PATH  PREF  MED  COMMUNITIES   AGE  REFUSED BECAUSE
    office    192.168.8.0/24  10.1.0.3  build-server  build-server  -         100    -  -            42 s  no route or VIP of this mesh lets build-server announce 192.168.8.0/24
    "
  `);
});

test("who looks for a route hears of those that were refused", () => {
  expect(render({}, { refusedCount: 2 })).toMatchInlineSnapshot(`
    "
    No routes.

    Refused besides: 2; --filtered shows them, and why.
    "
  `);
  expect(render({}, { isFiltered: true })).toBe("\nNo refused routes.\n");
});

test("a mesh without a BIRD is said to be one", () => {
  const problems = [{ meshId: testMeshId(0), mesh: "office", message: "no BIRD runs for it" }];
  expect(render({ problems })).toMatchInlineSnapshot(`
    "
    No routes.

    ! office: no BIRD runs for it
    "
  `);
});
