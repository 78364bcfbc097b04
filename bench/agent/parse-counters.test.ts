import { expect, test } from "vitest";
import { parseCounters } from "./parse-counters.ts";

test("counters are told by name, and what else is listed is left out", () => {
  const text = JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6", release_name: "Lester Gooch #5", json_schema_version: 1 } },
      { table: { family: "inet", name: "bench", handle: 1 } },
      { counter: { family: "inet", name: "udp", table: "bench", handle: 2, packets: 12, bytes: 3456 } },
      { counter: { family: "inet", name: "messages", table: "bench", handle: 3, packets: 0, bytes: 0 } },
    ],
  });
  expect([...parseCounters(text)]).toEqual([
    ["udp", { packets: 12, bytes: 3_456 }],
    ["messages", { packets: 0, bytes: 0 }],
  ]);
});
