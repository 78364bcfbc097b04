import { describe, expect, it } from "vitest";
import { CreateJoinToken } from "#schema/api/join-tokens";
import { judgeMaxUses, NEW_JOIN_DRAFT, renderJoinCommand, toJoinTokenBody } from "./join-command.ts";

describe("the join dialog", () => {
  it("asks for a token of ten minutes and one use, for the default mesh", () => {
    expect(toJoinTokenBody(NEW_JOIN_DRAFT)).toEqual({ expiresInSeconds: 600, maxUses: 1 });
  });

  it("says which mesh, or none, and any number of uses", () => {
    const mesh = "msh_01kaqx4d8e6v2m9t7w3hncz5rb";
    expect(toJoinTokenBody({ ...NEW_JOIN_DRAFT, maxUses: " ", mesh })).toMatchObject({
      maxUses: null,
      meshIds: [mesh],
    });
    expect(toJoinTokenBody({ ...NEW_JOIN_DRAFT, tags: "web site:berlin" })).toMatchObject({
      tags: ["site:berlin", "web"],
    });
    expect(toJoinTokenBody({ ...NEW_JOIN_DRAFT, mesh: "none" })).toMatchObject({ meshIds: [] });
    expect(CreateJoinToken.safeParse(toJoinTokenBody({ ...NEW_JOIN_DRAFT, mesh })).success).toBe(true);
  });

  it("judges the number of uses as the control plane does", () => {
    expect(["", "1", "100000"].map(judgeMaxUses)).toEqual([null, null, null]);
    for (const text of ["0", "1.5", "x", "100001"]) expect(judgeMaxUses(text)).not.toBeNull();
  });

  it("gives one line that installs the agent, and hands the token to it alone", () => {
    expect(renderJoinCommand("https://becket.example.org", "bkj_x")).toBe(
      "(echo BECKET_TOKEN=bkj_x && curl -fsSL https://becket.example.org/install.sh) | sudo sh",
    );
    expect(renderJoinCommand("https://becket.example.org", "bkj_x", { allowsUpgrades: true })).toBe(
      "(echo BECKET_TOKEN=bkj_x && curl -fsSL https://becket.example.org/install.sh) | sudo BECKET_ALLOW_UPGRADES=yes sh",
    );
  });
});
