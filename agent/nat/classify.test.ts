import { describe, expect, it } from "vitest";
import type { Endpoint, IpAddress } from "#schema/address";
import type { NatReport } from "#schema/nat";
import {
  classifyFiltering,
  classifyMapping,
  type FilteringTest,
  sharpenMapping,
  toNatSummary,
  toPortPreservation,
} from "./classify.ts";

const A1 = "192.0.2.10:3478";
const A2 = "192.0.2.10:3479";
const B1 = "192.0.2.11:3478";
const X = "198.51.100.1:51820";
const Y = "198.51.100.1:40000";
const see = (...seen: [server: string, mapped: string][]) =>
  seen.map(([server, mapped]) => ({ server: server as Endpoint, mapped: mapped as Endpoint }));
const isLocal = (address: string) => address === "10.0.0.2";

describe("mapping behaviour", () => {
  it.each([
    ["unknown", see()],
    ["unknown", see([A1, X])],
    ["unknown", see([A1, X], [A2, X])],
    ["endpoint-independent", see([A1, X], [B1, X])],
    ["address-and-port-dependent", see([A1, X], [B1, Y])],
    ["address-and-port-dependent", see([A1, X], [A2, Y])],
    ["address-dependent", see([A1, X], [A2, X], [B1, Y])],
    ["address-and-port-dependent", see([A1, X], [A2, Y], [B1, X])],
    ["none", see([A1, "10.0.0.2:51820"])],
  ])("is %s", (mapping, observations) => {
    expect(classifyMapping(observations, isLocal)).toBe(mapping);
  });

  it("is sharpened by a closer look, never contradicted", () => {
    expect(sharpenMapping("unknown", "endpoint-independent")).toBe("endpoint-independent");
    expect(sharpenMapping("address-and-port-dependent", "address-dependent")).toBe("address-dependent");
    expect(sharpenMapping("address-and-port-dependent", "unknown")).toBe("address-and-port-dependent");
    expect(sharpenMapping("address-and-port-dependent", "endpoint-independent")).toBe("address-and-port-dependent");
    expect(sharpenMapping("none", "unknown")).toBe("none");
  });
});

const test = (fromOtherAddress: string, fromOtherPort: string) =>
  ({ fromOtherAddress, fromOtherPort }) as FilteringTest;
const OPEN = test("answered", "answered");
const HALF = test("silent", "answered");
const SHUT = test("silent", "silent");
const UNTESTED = test("untested", "untested");

describe("filtering behaviour", () => {
  it.each([
    ["endpoint-independent", OPEN, OPEN, true],
    ["address-dependent", HALF, HALF, true],
    ["address-and-port-dependent", SHUT, SHUT, true],
    ["unknown", UNTESTED, UNTESTED, true],
    ["unknown", test("silent", "untested"), SHUT, true],
    // The router forwards WireGuard's port.
    ["endpoint-independent", OPEN, SHUT, true],
    ["endpoint-independent", OPEN, SHUT, false],
    // The probe itself opened the other address.
    ["address-dependent", OPEN, HALF, false],
    ["endpoint-independent", OPEN, HALF, true],
  ])("is %s", (filtering, probe, fresh, isProbePristine) => {
    expect(classifyFiltering({ probe, fresh, isProbePristine })).toBe(filtering);
  });
});

describe("the rest", () => {
  it("keeps the port when every server sees it", () => {
    expect(toPortPreservation("endpoint-independent", see([A1, X], [B1, X]), 51_820)).toBe(true);
    expect(toPortPreservation("address-and-port-dependent", see([A1, X], [B1, Y]), 51_820)).toBe(false);
    expect(toPortPreservation("none", see([A1, X]), 51_820)).toBeNull();
    expect(toPortPreservation("unknown", [], 51_820)).toBeNull();
  });

  it("is summed up for peers with the public IPv4 address", () => {
    const report: NatReport = {
      at: "2026-01-01T00:00:00.000Z",
      udp: { ipv4: true, ipv6: true },
      mapping: "endpoint-independent",
      filtering: "address-dependent",
      preservesPort: true,
      hairpinning: false,
      mappingLifetimeSeconds: null,
      publicAddresses: ["2001:db8::1", "198.51.100.1"] as IpAddress[],
      portMapping: { protocols: [], endpoints: [], problem: null },
      stun: [],
      checksProblem: null,
    };

    expect(toNatSummary(report)).toEqual({
      mapping: "endpoint-independent",
      filtering: "address-dependent",
      isUdpOpen: true,
      publicAddress: "198.51.100.1",
    });
    // STUN servers on its own network see it there.
    expect(toNatSummary({ ...report, publicAddresses: ["10.0.0.7"] as IpAddress[] })).not.toHaveProperty(
      "publicAddress",
    );
  });
});
