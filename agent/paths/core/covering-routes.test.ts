import { expect, test } from "vitest";
import type { Endpoint } from "#schema/address";
import { toCoveringRoutes } from "./covering-routes.ts";

const covering = (endpoints: readonly string[], prefixes: readonly string[]) =>
  toCoveringRoutes(endpoints as Endpoint[], prefixes);

const PREFIXES = ["192.168.1.0/24", "192.168.0.0/16", "203.0.113.7/32", "fd00:7::/48", "fd00:7:0:5::/64", "0.0.0.0/0"];

test("of each endpoint the longest route around it is found, each once", () => {
  expect(covering(["192.168.1.9:51820", "192.168.1.10:51820"], PREFIXES)).toEqual(["192.168.1.0/24"]);
  expect(covering(["192.168.2.9:51820"], PREFIXES)).toEqual(["192.168.0.0/16"]);
  expect(covering(["203.0.113.7:1"], PREFIXES)).toEqual(["203.0.113.7/32"]);
  expect(covering(["203.0.113.8:1"], PREFIXES)).toEqual(["0.0.0.0/0"]);
  expect(covering(["[fd00:7:0:5::1]:1", "[fd00:7:0:6::1]:1"], PREFIXES)).toEqual(["fd00:7:0:5::/64", "fd00:7::/48"]);
  expect(covering(["[2001:db8::1]:1"], PREFIXES)).toEqual([]);
  expect(covering(["192.168.1.9:51820"], [])).toEqual([]);
});
