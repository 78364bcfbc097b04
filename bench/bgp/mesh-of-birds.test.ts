import { describe, expect, test } from "vitest";
import { countSessions, countSessionsOf, createConfigs, type Mesh, range, type ToConfig } from "./mesh-of-birds.ts";

const MESHES: Readonly<Record<string, Mesh>> = {
  "a full mesh": { members: 5, reflectors: 0 },
  "two reflectors": { members: 5, reflectors: 2 },
};

const sessionsOf = (toConfig: ToConfig, member: number) =>
  toConfig(member).members.filter(({ hasSession }) => hasSession);

describe.each(Object.entries(MESHES))("%s", (_, mesh) => {
  const toConfig = createConfigs(mesh);

  test("has as many sessions in its configurations as are counted", () => {
    const members = range(mesh.members);
    const counts = members.map((member) => sessionsOf(toConfig, member).length);
    expect(counts).toEqual(members.map((member) => countSessionsOf(mesh, member)));
    expect(countSessions(mesh)).toBe(counts.reduce((sum, count) => sum + count, 0) / 2);
  });

  test("has both ends of a session want it, and its BFD", () => {
    const ends = range(mesh.members).flatMap((member) => {
      const { address } = toConfig(member);
      return sessionsOf(toConfig, member).map((other) => [address, other.address, other.bfd]);
    });
    expect(ends.map(([from, to, bfd]) => [to, from, bfd]).sort()).toEqual(ends.sort());
  });
});

test("of 250 members everybody peers with everybody, or with the two reflectors", () => {
  expect(countSessions({ members: 250, reflectors: 0 })).toBe(31_125);
  expect(countSessions({ members: 250, reflectors: 2 })).toBe(497);
  expect(countSessionsOf({ members: 250, reflectors: 2 }, 250)).toBe(2);
});

test("each of many members has its own addresses and prefixes", () => {
  const own = createConfigs({ members: 1_000, reflectors: 0 })(1_000);
  const all = own.members.flatMap(({ address, address6, prefixes }) => [address, address6, ...prefixes]);
  all.push(own.address, own.address6, ...own.announcements.flatMap(({ prefixes }) => prefixes));
  expect(new Set(all).size).toBe(4_000);
});
