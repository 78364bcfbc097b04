import { expect, it } from "vitest";
import { renderTable } from "./render-table.ts";

it("lines up what is known of each machine, and says what is not known yet", () => {
  const text = renderTable([
    {
      name: "alice",
      place: "on LAN home",
      meshIp: "10.77.0.1",
      peersUp: 3,
      peerCount: 3,
      handshakeAgeSeconds: 12,
      problem: null,
    },
    {
      name: "dave",
      place: "public",
      meshIp: null,
      peersUp: 0,
      peerCount: 3,
      handshakeAgeSeconds: null,
      problem: "no agent",
    },
  ]);
  expect(text).toBe(
    [
      "MACHINE   PLACE         MESH IP     PEERS UP   HANDSHAKE",
      "alice     on LAN home   10.77.0.1   3 of 3     12 s ago",
      "dave      public        joining …   0 of 3     –           no agent",
    ].join("\n"),
  );
});
