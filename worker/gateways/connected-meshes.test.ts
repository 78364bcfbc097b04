import { describe, expect, it } from "vitest";
import type { MachineId, MeshId } from "#schema/ids";
import { type ConnectedMesh, findOverlap, toConnected } from "./connected-meshes.ts";

const mesh = (name: string, cidr: string): ConnectedMesh => ({ id: name as MeshId, name, cidr });
const MESHES = [mesh("a", "10.1.0.0/16"), mesh("b", "10.2.0.0/16"), mesh("c", "10.1.7.0/24"), mesh("d", "10.4.0.0/16")];
/** `x:ab` is the gateway x in the meshes a and b. */
const toPlaces = (text: string) =>
  text.split(" ").flatMap((word) => {
    const [machineId = "", meshIds = ""] = word.split(":");
    return [...meshIds].map((meshId) => ({ machineId: machineId as MachineId, meshId: meshId as MeshId }));
  });
const overlapOf = (before: string, gateway: string) => {
  const [place] = toPlaces(gateway);
  const meshIds = toPlaces(gateway).map(({ meshId }) => meshId);
  const found = findOverlap(MESHES, toPlaces(before), { machineId: place?.machineId as MachineId, meshIds });
  return found?.map(({ name }) => name).join("") ?? null;
};

describe("connected meshes", () => {
  it.each([
    ["", "a"],
    ["x:a", "a"],
    ["x:ab", "ab"],
    ["x:ab y:bc", "abc"],
    ["x:ab y:bc z:cd", "abcd"],
    ["x:ab y:cd", "ab"],
  ])("with %j a is connected with %s", (places, connected) => {
    expect([...toConnected(toPlaces(places), "a" as MeshId)].sort().join("")).toBe(connected);
  });
});

describe("a gateway", () => {
  it.each([
    ["", "x:ab", null, "connects two that differ"],
    ["", "x:a", null, "connects nothing, in one mesh"],
    ["", "x:ac", "ac", "connects two that overlap"],
    ["x:ab", "y:bc", "ac", "connects two that overlap by way of a third"],
    ["x:ab y:cd", "z:bd", "ac", "connects two pairs"],
    ["x:ab", "y:ab", null, "goes where another is"],
    ["x:ab y:bc", "z:ab", null, "is not to blame for what others connect"],
    ["x:ab", "x:bd", null, "no longer connects what it did before"],
    ["x:ac", "x:ac", "ac", "is what connects them"],
  ] as [string, string, string | null, string][])("beside %j, %s: %s (it %s)", (before, gateway, overlap) => {
    expect(overlapOf(before, gateway)).toBe(overlap);
  });
});
