// Every kind of network against every other: public, four kinds of NAT, one LAN, a carrier's NAT, blocked UDP, IPv6 alone, a firewall.
import { expect, it } from "vitest";
import { renderGrid } from "../nat-grid/render-grid.ts";
import { runGrid } from "../nat-grid/run-grid.ts";
import { writeResults } from "../nat-grid/write-results.ts";

it("every pair of networks talks within 2 s over the relay, is direct where it can be, and says why where it can't", async () => {
  const result = await runGrid({ runs: 0 });
  writeResults(result);
  const table = renderGrid(result);
  expect(result.problems, table).toEqual([]);
  expect(result.reachable, table).toBe(result.cells);
  expect(result.direct, table).toBe(result.directExpected);
  expect(result.firstPingMs.p95, table).toBeLessThanOrEqual(2_000);
}, 420_000);
