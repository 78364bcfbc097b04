import { expect, it } from "vitest";
import { readOrigin } from "./read-origin.ts";

const [ONE, OTHER, FORMER] = ["https://one.test", "https://other.test", "https://former.test"];
const NOTICE = "becket: BECKET_ORIGIN_URL is BECKET_ORIGIN now; rename it";

it.each([
  ["the option", ONE, { BECKET_ORIGIN: OTHER, BECKET_ORIGIN_URL: FORMER }, ONE, []],
  ["the variable, where the option is empty", "", { BECKET_ORIGIN: OTHER, BECKET_ORIGIN_URL: FORMER }, OTHER, []],
  ["the variable, where there is no option", undefined, { BECKET_ORIGIN: OTHER }, OTHER, []],
  [
    "the variable's former name, and says so",
    undefined,
    { BECKET_ORIGIN: "", BECKET_ORIGIN_URL: FORMER },
    FORMER,
    [NOTICE],
  ],
  ["nothing", "", { BECKET_ORIGIN: "", BECKET_ORIGIN_URL: "" }, undefined, []],
])("takes the public origin of %s", (_, option, env, origin, said) => {
  const lines: string[] = [];
  expect(readOrigin(option, env, (line) => lines.push(line))).toBe(origin);
  expect(lines).toEqual(said);
});
