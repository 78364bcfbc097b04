import { expect, test } from "vitest";
import { toSteps } from "./steps.ts";

test.each([
  [20, [20]],
  [100, [100]],
  [180, [100, 150, 180]],
  [250, [100, 150, 200, 250]],
  [400, [100, 150, 200, 250, 400]],
])("up to %i members", (members, steps) => {
  expect(toSteps(members)).toEqual(steps);
});
