import { describe, expect, it } from "vitest";
import { Ipv4Cidr } from "#schema/address";
import { judgeCidr, judgeName, suggestCidr } from "./mesh-draft-model.ts";

const mesh = (name: string, cidr: string) => ({ name, cidr: Ipv4Cidr.parse(cidr) });

describe("a network that is typed", () => {
  it("tells how many machines fit, and from where to where", () => {
    expect(judgeCidr("10.1.0.0/24", [])).toEqual({
      error: null,
      hosts: 254,
      range: ["10.1.0.1", "10.1.0.254"],
      overlaps: [],
    });
    expect(judgeCidr("10.0.0.0/8", []).hosts).toBe(16_777_214);
  });

  it("says nothing of an empty field", () => expect(judgeCidr("", []).error).toBeNull());

  it("names the network that is meant where host bits are set", () => {
    expect(judgeCidr("10.1.2.3/16", []).error).toBe("has host bits: did you mean 10.1.0.0/16?");
    expect(judgeCidr("192.168.255.255/17", []).error).toBe("has host bits: did you mean 192.168.128.0/17?");
  });

  it.each(["10.1.0.0", "10.1.0.0/33", "10.256.0.0/16", "8.8.8.0/24", "10.0.0.0/31", "fd00::/64"])(
    "refuses %s",
    (text) => {
      expect(judgeCidr(text, []).error).not.toBeNull();
      expect(judgeCidr(text, []).hosts).toBeNull();
    },
  );

  it("names the meshes that it overlaps", () => {
    const meshes = [mesh("lab", "10.1.0.0/16"), mesh("office", "10.2.0.0/16")];
    expect(judgeCidr("10.1.7.0/24", meshes).overlaps.map(({ name }) => name)).toEqual(["lab"]);
  });
});

describe("a name that is typed", () => {
  it("must be a label that is free", () => {
    expect(judgeName("office", [])).toBeNull();
    expect(judgeName("", [])).toBeNull();
    expect(judgeName("Office", [])).toContain("lower-case");
    expect(judgeName("office", ["office"])).toBe("is taken");
  });
});

describe("the network that is proposed", () => {
  it("overlaps none that is there", () => {
    expect(suggestCidr([])).toBe("10.77.0.0/16");
    expect(suggestCidr([mesh("a", "10.77.0.0/16"), mesh("b", "10.78.5.0/24")])).toBe("10.79.0.0/16");
    expect(suggestCidr([mesh("all", "10.0.0.0/8")])).toBeNull();
  });
});
