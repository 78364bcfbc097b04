import { expect, test } from "vitest";
import { chooseRouter } from "./choose-router.ts";

const HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
const render = (...routes: string[]) => [HEADER, ...routes].map((line) => line.replaceAll(" ", "\t")).join("\n");
/** 192.168.1.1 and 10.0.0.1. */
const [HOME, OFFICE] = ["0101A8C0", "0100000A"];
const LAN = "eth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0";
const ADDRESSES = [
  { interfaceName: "eth0", cidr: "172.16.0.9/16" },
  { interfaceName: "eth0", cidr: "192.168.1.7/24" },
  { interfaceName: "wlan0", cidr: "10.0.0.9/8" },
];

test("takes the default route, and the address on the router's network", () => {
  const table = render(`eth0 00000000 ${HOME} 0003 0 0 100 00000000 0 0 0`, LAN);
  expect(chooseRouter(table, ADDRESSES)).toEqual({ address: "192.168.1.1", localAddress: "192.168.1.7" });
});

test("takes the route of the lowest metric that is up and not through an interface of our own", () => {
  const table = render(
    `wlan0 00000000 ${OFFICE} 0003 0 0 600 00000000 0 0 0`,
    `eth0 00000000 ${HOME} 0003 0 0 700 00000000 0 0 0`,
    `eth0 00000000 ${HOME} 0002 0 0 1 00000000 0 0 0`,
    `bkt-home 00000000 ${HOME} 0003 0 0 2 00000000 0 0 0`,
    `wlan1 00000000 ${HOME} 0003 0 0 3 00000000 0 0 0`,
  );
  expect(chooseRouter(table, ADDRESSES)).toEqual({ address: "10.0.0.1", localAddress: "10.0.0.9" });
});

test.each([
  ["nothing", ""],
  ["no default route", render(LAN)],
  ["half the world, as VPNs write it", render(`eth0 00000000 ${HOME} 0003 0 0 0 00000080 0 0 0`)],
  ["a default route without a router", render("ppp0 00000000 00000000 0001 0 0 0 00000000 0 0 0")],
  ["garbage", "a\nb c d\n\t\t\t"],
])("finds no router in %s", (_, table) => {
  expect(chooseRouter(table, ADDRESSES)).toBeNull();
});
