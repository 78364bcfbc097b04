import { expect, test } from "vitest";
import { parseFirstAnswers } from "./first-answers.ts";

// As printed by fping 5.1 (Debian 12).
test("the first answer of each address counts, and neither silence nor half a line", () => {
  const output = `[1795727175.67460] 10.9.9.10 : [10], timed out (NaN avg, 100% loss)
[1795727175.68460] 10.9.9.9  : [11], 64 bytes, 0.063 ms (0.063 avg, 91% loss)
[1795727175.78463] 10.9.9.9  : [12], 64 bytes, 0.059 ms (0.061 avg, 84% loss)
[1795727175.79560] 10.9.9.11 : [11], 64 bytes, 0.1`;
  expect(parseFirstAnswers(output)).toEqual(new Map([["10.9.9.9", 1_795_727_175_685]]));
});
