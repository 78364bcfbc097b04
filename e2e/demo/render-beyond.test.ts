import { expect, it } from "vitest";
import { renderBeyond } from "./render-beyond.ts";

it("says through whom each place is reached, and by whom", () => {
  const rows = [
    {
      name: "printer, on alice's LAN",
      address: "192.168.1.12",
      through: ["alice"],
      reachedBy: ["bob", "olga"],
      wanted: 2,
    },
    { name: "a VIP", address: "10.77.200.1", through: ["bob", "carol"], reachedBy: ["olga"], wanted: 2 },
    { name: "dora", address: "10.78.0.2", through: [], reachedBy: [], wanted: 2 },
  ];
  expect(renderBeyond(rows)).toBe(
    [
      "BEYOND THE MESH           ADDRESS        THROUGH      REACHED BY",
      "printer, on alice's LAN   192.168.1.12   alice        all 2",
      "a VIP                     10.77.200.1    bob, carol   olga",
      "dora                      10.78.0.2      –            nobody",
    ].join("\n"),
  );
});
