import { expect, test } from "vitest";
import { explainSkip, SkipReason } from "./rollout.ts";

const explain = (reason: SkipReason) => explainSkip(reason, "https://becket.test");

test("says of a machine that is skipped what to run on it", () => {
  expect(explain("not_allowed")).toMatch(
    /curl -fsSL https:\/\/becket\.test\/install\.sh \| sudo sh.*BECKET_ALLOW_UPGRADES=yes/,
  );
  expect(explain("too_old")).toContain("curl -fsSL https://becket.test/install.sh | sudo sh");
});

test("has a sentence for each reason", () => {
  for (const reason of SkipReason.options) expect(explain(reason)).toMatch(/^[A-Z].+ /);
});
