import { expect, test } from "vitest";
import { summariseRuns } from "./summarise.ts";

const at = (mbps: number) => ({ mbps, retransmits: 0 });

test("a machine that gets slower between pairs does not change the ratio", () => {
  const pairs = [
    { handMade: at(1_000), direct: at(990) },
    { handMade: at(500), direct: at(495) },
    { handMade: at(200), direct: at(198) },
  ];
  expect(summariseRuns(pairs, [at(150)])).toEqual({
    handMadeMbps: 500,
    directMbps: 495,
    relayedMbps: 150,
    ratioDirectToHandMade: 0.99,
    ratioRange: [0.99, 0.99],
  });
});

test("one disturbed pair shows in the range, not in the median", () => {
  const pairs = [1_000, 1_001, 300].map((mbps) => ({ handMade: at(1_000), direct: at(mbps) }));
  const { ratioDirectToHandMade, ratioRange } = summariseRuns(pairs, [at(100), at(120)]);
  expect([ratioDirectToHandMade, ratioRange]).toEqual([1, [0.3, 1.001]]);
});
