import { expect, test } from "vitest";
import { toTraffic } from "./to-traffic.ts";

const cases: [what: string, sent: number, received: number, expected: string | null][] = [
  ["nothing", 0, 0, null],
  ["a keepalive of ours", 32, 0, "sent upkeep"],
  ["a keepalive of each", 32, 32, "sent received upkeep"],
  ["a ping and its answer", 128, 128, "sent received"],
  ["a packet without an answer", 128, 0, "sent"],
  ["a keepalive in answer to packets", 1_280, 32, "sent received"],
  ["a handshake that we began", 148, 92, "sent received upkeep"],
  ["the same with the keepalives around it", 148 + 64, 92 + 32, "sent received upkeep"],
  ["a handshake that the peer began", 92, 148 + 32, "sent received upkeep"],
  ["a handshake whose answer comes in the next look", 148, 0, "sent upkeep asking"],
  ["that answer", 32, 92, "sent received upkeep"],
  ["a handshake that brought packets along", 148 + 128, 92, "sent received"],
  ["two handshakes that nobody answered", 296, 0, "sent"],
];

test.each(cases)("WireGuard's counters after %s", (_what, sent, received, expected) => {
  const traffic = toTraffic(sent, received);
  const words = traffic && [
    traffic.isSent && "sent",
    traffic.isReceived && "received",
    traffic.isUpkeep && "upkeep",
    traffic.isAsking && "asking",
  ];
  expect(words?.filter(Boolean).join(" ") ?? null).toBe(expected);
});
