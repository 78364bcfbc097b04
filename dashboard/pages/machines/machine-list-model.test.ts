import { describe, expect, it } from "vitest";
import { Machine, Member } from "#schema/machine";
import { countMachines, listTags, selectMachines, toFacts, toMachineRows } from "./machine-list-model.ts";

const MESH = "msh_01kaqx4d8e6v2m9t7w3hncz5rb";
const AGENT = { agentVersion: "0.1.0", nodeVersion: "v24.21.0", kernelVersion: "6.1", wireguard: "kernel" };
const NAT = { mapping: "endpoint-independent", filtering: "unknown", isUdpOpen: true };
const toId = (number: number) => `mch_01kaqx4d8e6v2m9t7w3hncz5${String(number).padStart(2, "0")}`;

let made = 0;
const machine = (name: string, facts: { address?: string } & Record<string, unknown> = {}): Machine => {
  const { address, ...rest } = facts;
  return Machine.parse({
    id: toId(made++ % 90),
    name,
    online: true,
    lastSeenAt: "2026-11-23T09:30:00.000Z",
    gateway: false,
    tags: [],
    ...{ importPolicySetId: null, exportPolicySetId: null },
    ...{ agent: AGENT, upToDate: true },
    meshes: address ? [{ meshId: MESH, meshName: "office", address, address6: "fd5a:7c1e:9b02::7" }] : [],
    ...{ identityKeySince: "2026-11-23T09:30:00.000Z", createdAt: "2026-11-23T09:30:00.000Z" },
    ...rest,
  });
};
const names = (rows: readonly { machine: Machine }[]) => rows.map((row) => row.machine.name);

const ALL = toMachineRows(
  [
    machine("web-10", { address: "10.1.0.10", online: false, lastSeenAt: "2026-11-22T00:00:00.000Z" }),
    machine("web-9", { address: "10.1.0.9" }),
    machine("spare"),
    machine("old", { address: "10.1.0.2", online: false, lastSeenAt: null }),
    machine("broken", { address: "10.1.0.3", agent: { ...AGENT, wireguard: "missing" } }),
  ],
  new Map(),
);

describe("what is wrong", () => {
  it("names missing WireGuard and machines without a mesh", () =>
    expect(ALL.map(({ problems }) => problems)).toEqual([[], [], ["in no mesh"], [], ["WireGuard is missing"]]));

  it("names the steps that failed and the NAT, in whichever mesh", () => {
    const failed = machine("failed", { address: "10.1.0.4" });
    const member = Member.parse({
      ...{ machineId: failed.id, name: "failed", address: "10.1.0.4", address6: "fd5a:7c1e:9b02::4", publicKey: null },
      keySince: null,
      ...{
        online: true,
        lastSeenAt: null,
        appliedRevision: 1,
        meshRevision: 1,
        nat: NAT,
        joinedAt: "2026-11-23T09:30:00.000Z",
      },
      failures: [{ step: "address.add", code: "command_failed", message: "denied", since: "2026-11-23T09:30:00.000Z" }],
    });
    const [row] = toMachineRows([failed], toFacts([member, { ...member, nat: null }]));
    expect(row?.problems).toEqual(["address.add: denied", "address.add: denied"]);
    expect(row?.nat).toEqual(NAT);
  });

  it("counts for the filter", () => expect(countMachines(ALL)).toEqual({ all: 5, online: 3, offline: 2, problems: 2 }));
});

describe("finding", () => {
  it("takes names, addresses and meshes, all words of it", () => {
    expect(names(selectMachines(ALL, { q: "WEB 0.10" }))).toEqual(["web-10"]);
    expect(names(selectMachines(ALL, { q: "office old" }))).toEqual(["old"]);
    expect(selectMachines(ALL, { q: "nothing like it" })).toEqual([]);
  });

  it("takes a state and a mesh", () => {
    expect(names(selectMachines(ALL, { state: "offline" }))).toEqual(["old", "web-10"]);
    expect(names(selectMachines(ALL, { state: "problems" }))).toEqual(["broken", "spare"]);
    expect(names(selectMachines(ALL, { mesh: "none" }))).toEqual(["spare"]);
    expect(selectMachines(ALL, { mesh: MESH })).toHaveLength(4);
  });

  it("takes a tag, also as a word, and knows all that there are", () => {
    const tagged = toMachineRows(
      [machine("a", { tags: ["site:berlin", "web"] }), machine("b", { tags: ["db", "web"] }), machine("c")],
      new Map(),
    );
    expect(names(selectMachines(tagged, { tag: "web" }))).toEqual(["a", "b"]);
    expect(names(selectMachines(tagged, { q: "berlin" }))).toEqual(["a"]);
    expect(listTags(tagged)).toEqual(["db", "site:berlin", "web"]);
  });
});

describe("order", () => {
  it("counts numbers in names", () => expect(names(selectMachines(ALL, { q: "web" }))).toEqual(["web-9", "web-10"]));
  it("turns round", () => expect(names(selectMachines(ALL, { q: "web", sort: "-name" }))).toEqual(["web-10", "web-9"]));
  it("by being seen has online first and never seen last", () =>
    expect(names(selectMachines(ALL, { sort: "seen" }))).toEqual(["broken", "spare", "web-9", "web-10", "old"]));
  it("by address goes by number", () =>
    expect(names(selectMachines(ALL, { sort: "address" }))).toEqual(["old", "broken", "web-9", "web-10", "spare"]));
  it("by a column that is none is by name", () =>
    expect(names(selectMachines(ALL, { sort: "nothing" }))[0]).toBe("broken"));
});
