import { describe, expect, it } from "vitest";
import { Machine } from "#schema/machine";
import { Mesh } from "#schema/mesh";
import { toMeshHealths } from "./mesh-health-model.ts";
import { toMeshRows } from "./mesh-list-model.ts";

const toId = (number: number) => `msh_01kaqx4d8e6v2m9t7w3hncz5r${number}`;
const mesh = (number: number, name: string, cidr: string): Mesh =>
  Mesh.parse({
    ...{ id: toId(number), name, cidr, cidr6: "fd5a:7c1e:9b02::/64", asn: 4_200_000_000, fallback: "relay" },
    ...{ routeReflectorMode: false, keyRotationDays: null, importPolicySetId: null, exportPolicySetId: null },
    ...{ isDefault: false, memberCount: number, availableAddressCount: 9, createdAt: "2026-11-23T09:30:00.000Z" },
  });
const machine = (number: number, online: boolean, meshes: number[]): Machine =>
  Machine.parse({
    ...{
      id: `mch_01kaqx4d8e6v2m9t7w3hncz5r${number}`,
      name: `m${number}`,
      online,
      lastSeenAt: null,
      gateway: false,
      tags: [],
    },
    ...{ importPolicySetId: null, exportPolicySetId: null },
    ...{ agent: null, upToDate: true },
    ...{ identityKeySince: "2026-11-23T09:30:00.000Z", createdAt: "2026-11-23T09:30:00.000Z" },
    meshes: meshes.map((mesh) => ({
      ...{ meshId: toId(mesh), meshName: "x", address: "10.1.0.7", address6: "fd5a:7c1e:9b02::7" },
    })),
  });

const MESHES = [mesh(1, "office", "10.20.0.0/16"), mesh(2, "lab", "10.3.0.0/16"), mesh(3, "empty", "192.168.0.0/24")];
const HEALTHS = toMeshHealths(MESHES, [machine(1, true, [1, 2]), machine(2, false, [1]), machine(3, true, [2])]);

describe("a mesh's health", () => {
  it("counts the machines that are online", () =>
    expect(HEALTHS.map(({ name, online, total, tone }) => [name, online, total, tone])).toEqual([
      ["office", 1, 2, "warn"],
      ["lab", 2, 2, "good"],
      ["empty", 0, 0, "neutral"],
    ]));

  it("is bad when nobody is there", () =>
    expect(toMeshHealths(MESHES, [machine(1, false, [1])])[0]).toMatchObject({
      tone: "bad",
      label: "No machine is online",
    }));
});

describe("the list of meshes", () => {
  const names = (search: { q?: string; sort?: string }) =>
    toMeshRows(MESHES, HEALTHS, search).map((row) => row.mesh.name);

  it("is by name, and can be by network or by machines", () => {
    expect(names({})).toEqual(["empty", "lab", "office"]);
    expect(names({ sort: "cidr" })).toEqual(["lab", "office", "empty"]);
    expect(names({ sort: "-machines" })).toEqual(["empty", "lab", "office"]);
  });

  it("is searched by name and by network", () => {
    expect(names({ q: "OFF" })).toEqual(["office"]);
    expect(names({ q: "192.168" })).toEqual(["empty"]);
  });
});
