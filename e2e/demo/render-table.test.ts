import { expect, it } from "vitest";
import { type MachineRow, type PeerCell, renderReasons, renderTable } from "./render-table.ts";

const direct = { path: "direct", latencyMs: 1.4, reason: null } as const;
const relayed = { path: "relayed", latencyMs: null, reason: "relayed: UDP is blocked where olga is" } as const;

const ROWS: MachineRow[] = [
  {
    name: "alice",
    place: "easy NAT",
    meshIp: "10.77.0.1",
    peers: new Map<string, PeerCell>([
      ["carol", direct],
      ["olga", relayed],
    ]),
    problem: null,
  },
  {
    name: "carol",
    place: "public",
    meshIp: "10.77.0.2",
    peers: new Map<string, PeerCell>([
      ["alice", direct],
      ["olga", relayed],
    ]),
    problem: null,
  },
  { name: "olga", place: "UDP blocked", meshIp: null, peers: new Map(), problem: "offline" },
];

it("lines up what is known of each machine and of each pair, and says what is not known yet", () => {
  expect(renderTable(ROWS)).toBe(
    [
      "MACHINE   NETWORK       MESH IP     alice         carol         olga",
      "alice     easy NAT      10.77.0.1                 direct 1 ms   relayed",
      "carol     public        10.77.0.2   direct 1 ms                 relayed",
      "olga      UDP blocked   joining …   …             …                       offline",
    ].join("\n"),
  );
});

it("says each reason once, with the pairs that it is about", () => {
  expect(renderReasons(ROWS)).toEqual(["alice – olga, carol – olga: relayed: UDP is blocked where olga is"]);
});
