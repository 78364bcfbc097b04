import { describe, expect, it } from "vitest";
import { groupByState, isNotable, pickFocus, toMeshMap } from "./map-model.ts";

const member = (machineId: string, online = true) => ({ machineId, name: machineId, online }) as never;
const machine = (id: string, gateway = false, meshNames: readonly string[] = []) =>
  ({
    id,
    gateway,
    tags: [],
    meshes: ["office", ...meshNames].map((meshName) => ({ meshId: meshName, meshName })),
  }) as never;
const peer = (machineId: string, facts: object) =>
  ({
    ...{ meshId: "office", machineId, name: machineId, status: "up", path: "direct", gatewayId: null, latencyMs: null },
    lossRatio: null,
    ...facts,
  }) as never;
const statesOf = (members: readonly never[], peers: readonly never[] | undefined) =>
  Object.fromEntries(
    (
      toMeshMap({ meshId: "office", members: [member("me"), ...members], machines: [], focusId: "me", peers })
        ?.others ?? []
    ).map(({ name, state }) => [name, state]),
  );

describe("the machine in the middle", () => {
  const members = [member("bob"), member("alice"), member("edge", false), member("gate")];
  it("is the one that was asked for", () => expect(pickFocus(members, new Set(), "edge")).toBe("edge"));
  it("is else a gateway that is online, then the first by name", () => {
    expect(pickFocus(members, new Set(["edge", "gate"]), "gone")).toBe("gate");
    expect(pickFocus(members, new Set(["edge"]), undefined)).toBe("alice");
    expect(pickFocus([], new Set(), undefined)).toBeNull();
  });
});

describe("a link", () => {
  it("is what the machine itself sees, before what the control plane sees", () => {
    const peers = [
      peer("a", { path: "relayed" }),
      peer("b", { status: "down", path: "none" }),
      peer("c", { status: "down", path: "none" }),
      peer("d", { status: "idle", path: "none" }),
      peer("e", { meshId: "lab" }),
    ];
    const members = [member("a", false), member("b"), member("c", false), member("d"), member("e")];
    expect(statesOf(members, peers)).toEqual({
      ...{ a: "relayed", b: "down", c: "offline", d: "idle", e: "unknown" },
    });
  });

  it("is not known before the machine has told", () =>
    expect(statesOf([member("a"), member("b", false)], undefined)).toEqual({ a: "unknown", b: "offline" }));

  it("says its latency, and its loss when there is any to speak of", () => {
    const map = toMeshMap({
      ...{ meshId: "office", members: [member("me"), member("a"), member("b")], machines: [], focusId: "me" },
      peers: [peer("a", { latencyMs: 12.5, lossRatio: 0.04 }), peer("b", { latencyMs: 8, lossRatio: 0.001 })],
    });
    expect(map?.others.map(({ words, isLossy }) => [words, isLossy])).toEqual([
      ["direct, 12.5 ms, 4.0 % loss", true],
      ["direct, 8.0 ms", false],
    ]);
    expect(map?.others.map(isNotable)).toEqual([true, false]);
  });
});

it("knows what a gateway joins, and through which one a path goes", () => {
  const map = toMeshMap({
    ...{ meshId: "office", members: [member("me"), member("gate"), member("far")], focusId: "me" },
    machines: [machine("gate", true, ["production"]), machine("far", false, ["lab"])],
    peers: [peer("gate", {}), peer("far", { path: "transit", gatewayId: "gate" })],
  });
  expect(map?.others.map(({ name, joins, viaId }) => [name, joins, viaId])).toEqual([
    ["far", [], "gate"],
    ["gate", ["production"], null],
  ]);
});

it("groups by state, what needs looking at first", () => {
  const map = toMeshMap({
    ...{ meshId: "office", members: ["me", "a", "b", "c"].map((id) => member(id)), machines: [], focusId: "me" },
    peers: [peer("a", {}), peer("b", { status: "down", path: "none" }), peer("c", {})],
  });
  expect(groupByState(map?.others ?? []).map(({ state, machines }) => [state, machines.length])).toEqual([
    ["down", 1],
    ["direct", 2],
  ]);
});
