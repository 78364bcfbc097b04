// Every kind of network against every other: public, four kinds of NAT, one LAN, a carrier's NAT, blocked UDP, IPv6 alone, a firewall.
import { expect, it } from "vitest";
import { renderGrid } from "../nat-grid/render-grid.ts";
import { runGrid } from "../nat-grid/run-grid.ts";
import { writeResults } from "../nat-grid/write-results.ts";

/** Two cells and another scenario share two cores here; `npm run -s e2e -- nat-grid --json` measures one cell at a time, for 2 s. */
const FIRST_PING_MS = 5_000;

it("every pair of networks talks at once over the relay, is direct where it can be, and says why where it can't", async () => {
  const result = await runGrid({ atOnce: 2, runs: 0 });
  writeResults(result);
  const table = renderGrid(result);
  expect(result.problems, table).toEqual([]);
  expect(result.reachable, table).toBe(result.cells);
  expect(result.direct, table).toBe(result.directExpected);
  expect(result.firstPingMs.p95, table).toBeLessThanOrEqual(FIRST_PING_MS);
}, 420_000);
