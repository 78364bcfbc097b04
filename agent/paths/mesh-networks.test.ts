import { expect, test } from "vitest";
import { testMeshId } from "../testing/mesh-model.ts";
import { createMeshNetworks } from "./mesh-networks.ts";

test("the networks of all meshes, and what is routed into them, are known to each and told when they change", () => {
  let changes = 0;
  const networks = createMeshNetworks(() => changes++);
  networks.set(testMeshId(0), ["10.1.0.0/16", "fd01::/64"]);
  networks.set(testMeshId(1), ["10.2.0.0/16", "fd02::/64"]);
  const all = networks.all();
  expect(all).toEqual({ meshes: ["10.1.0.0/16", "fd01::/64", "10.2.0.0/16", "fd02::/64"], routed: [] });
  expect(changes).toBe(2);
  networks.set(testMeshId(0), ["10.1.0.0/16", "fd01::/64"]);
  networks.setRouted([]);
  expect([networks.all() === all, changes]).toEqual([true, 2]);
  networks.setRouted(["192.168.1.0/24"]);
  networks.drop(testMeshId(0));
  expect([networks.all(), changes]).toEqual([{ meshes: ["10.2.0.0/16", "fd02::/64"], routed: ["192.168.1.0/24"] }, 4]);
});
