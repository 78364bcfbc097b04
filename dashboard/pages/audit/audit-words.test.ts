import { expect, it } from "vitest";
import { describeAction, describeDetails, toSubjectName } from "./audit-words.ts";

it("says what happened as people would", () => {
  expect([describeAction("mesh.created"), describeAction("api_token.revoked"), describeAction("vip.updated")]).toEqual([
    "Mesh created",
    "API token revoked",
    "VIP updated",
  ]);
});

it("has the details in a line, without the name, and cuts what is long; ids have the names of what is there", () => {
  const details = { name: "office", cidr: "10.1.0.0/16", isDefault: true, prefixes: Array(40).fill("10.0.0.0/8") };
  expect(toSubjectName({ details })).toBe("office");
  expect(
    describeDetails({ details: { healthCheck: { type: "tcp", target: ":22" }, rules: [{}, {}], med: null } }),
  ).toBe("healthCheck: type tcp, target :22, rules: 2, med: none");
  expect(describeDetails({ details: { machineIds: ["mch_1", "mch_2"] } }, new Map([["mch_1", "web"]]))).toBe(
    "machineIds: web mch_2",
  );
  expect(describeDetails({ details })).toMatch(/^cidr: 10\.1\.0\.0\/16, isDefault: true, prefixes: 10.{78}…$/);
});
