import { expect, it } from "vitest";
import { describeWarning } from "./warning-words.ts";

it("speaks of switches, not of fields", () => {
  const advised = { code: "route_reflectors_advised", message: "set routeReflectorMode to true" } as const;
  expect(describeWarning(advised, { memberCount: 1_000 })).toBe(
    "With 1,000 machines, route reflector mode is advised. Switch it on in the settings.",
  );
  const overlap = { code: "cidr_overlap", message: "the network overlaps 10.1.0.0/16" } as const;
  expect(describeWarning(overlap, { memberCount: 0 })).toBe("The network overlaps 10.1.0.0/16");
});
