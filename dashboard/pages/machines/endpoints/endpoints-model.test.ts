import { expect, it } from "vitest";
import { ObservedEndpoint } from "#schema/path";
import { toEndpointRows } from "./endpoints-model.ts";

const A = "msh_01kaqx4d8e6v2m9t7w3hncz5ra";
const B = "msh_01kaqx4d8e6v2m9t7w3hncz5rb";
const endpoint = (facts: object): ObservedEndpoint =>
  ObservedEndpoint.parse({
    meshId: A,
    address: "198.51.100.7:51820",
    type: "stun",
    observedBy: "stun.example.org:3478",
    firstSeen: "2026-11-23T09:00:00.000Z",
    lastSeen: "2026-11-23T09:30:00.000Z",
    ...facts,
  });

it("joins what is the same in several meshes, and has the newest first", () => {
  const rows = toEndpointRows(
    [
      endpoint({}),
      endpoint({ meshId: B, firstSeen: "2026-11-23T08:00:00.000Z", lastSeen: "2026-11-23T09:10:00.000Z" }),
      endpoint({ type: "host", address: "10.0.0.4:51820", observedBy: null, lastSeen: "2026-11-23T09:31:00.000Z" }),
    ],
    new Map([[A, "office"]]),
  );
  expect(rows.map(({ address, meshNames, firstSeen }) => [address, meshNames, firstSeen.slice(11, 16)])).toEqual([
    ["10.0.0.4:51820", ["office"], "09:00"],
    ["198.51.100.7:51820", ["office", B], "08:00"],
  ]);
});
