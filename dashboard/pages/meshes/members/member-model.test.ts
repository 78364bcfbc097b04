import { describe, expect, it } from "vitest";
import { Member } from "#schema/machine";
import { filterMembers, toMemberState } from "./member-model.ts";

const member = (facts: object = {}): Member =>
  Member.parse({
    machineId: "mch_01kaqx4d8e6v2m9t7w3hncz5rb",
    name: "build-server",
    address: "10.1.0.7",
    address6: "fd5a:7c1e:9b02::7",
    publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    keySince: "2026-11-23T09:30:00.000Z",
    online: true,
    lastSeenAt: "2026-11-23T09:30:00.000Z",
    appliedRevision: 7,
    meshRevision: 7,
    nat: null,
    failures: [],
    joinedAt: "2026-11-23T09:30:00.000Z",
    ...facts,
  });
const FAILURE = { step: "address.add", code: "command_failed", message: "denied", since: "2026-11-23T09:30:00.000Z" };

describe("a member", () => {
  it.each([
    ["in sync when it has applied the newest revision", {}, "in sync"],
    ["behind when the mesh has changed since", { appliedRevision: 5 }, "2 changes behind"],
    ["offline when it was not seen", { online: false }, "offline"],
    ["not connected when it is seen elsewhere only", { appliedRevision: null }, "not connected to the mesh"],
    ["waiting before its first hello", { publicKey: null, online: false }, "waiting for its first contact"],
    ["failing before all else", { failures: [FAILURE], online: false }, "1 step failed"],
  ])("is %s", (_, facts, label) => expect(toMemberState(member(facts)).label).toBe(label));

  it("says what failed in a sentence", () =>
    expect(toMemberState(member({ failures: [FAILURE] })).failures).toEqual(["address.add: denied"]));
});

describe("members", () => {
  it("are found by name and by address", () => {
    const all = [member(), member({ name: "web", address: "10.1.0.8", address6: "fd5a:7c1e:9b02::8" })];
    expect(filterMembers(all, "web").map(({ name }) => name)).toEqual(["web"]);
    expect(filterMembers(all, "BUILD 0.7").map(({ name }) => name)).toEqual(["build-server"]);
    expect(filterMembers(all, "")).toHaveLength(2);
  });
});
