import { describe, expect, it } from "vitest";
import { hostCount, MeshCidr, Name } from "./mesh.ts";

describe("a mesh's CIDR", () => {
  it.each(["10.0.0.0/8", "10.100.0.0/16", "172.16.0.0/12", "192.168.7.0/30", "100.64.0.0/10", "100.100.0.0/24"])(
    "may be %s",
    (cidr) => {
      expect(MeshCidr.safeParse(cidr).success).toBe(true);
    },
  );

  it.each([
    ["8.8.8.0/24", "private"],
    ["172.0.0.0/8", "private"],
    ["192.168.0.0/15", "must be"],
    ["10.0.0.0/7", "must be"],
    ["10.0.0.0/31", "/8 to /30"],
    ["10.0.0.1/24", "IPv4 network"],
    ["fd00::/64", "IPv4 network"],
    ["", "IPv4 network"],
  ])("may not be %s", (cidr, word) => {
    const parsed = MeshCidr.safeParse(cidr);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toContain(word);
  });

  it("holds every address but network and broadcast", () => {
    expect(hostCount("10.0.0.0/24")).toBe(254);
    expect(hostCount("10.0.0.0/16")).toBe(65_534);
    expect(hostCount("10.0.0.0/30")).toBe(2);
  });
});

describe("a name", () => {
  it.each(["a", "web-1", "0", "a".repeat(63)])("may be %s", (name) => {
    expect(Name.safeParse(name).success).toBe(true);
  });
  it.each(["", "-a", "a-", "A", "a.b", "a b", "a".repeat(64), "ä"])("may not be %j", (name) => {
    expect(Name.safeParse(name).success).toBe(false);
  });
});
