import { describe, expect, test } from "vitest";
import { toKeepalive, toKeepaliveSeconds } from "./keepalive.ts";
import { answered, candidate, endpoint, LAN_ENDPOINT, NATS, STUN_ENDPOINT, setUpPath } from "./testing/path-fixture.ts";

type Options = NonNullable<Parameters<typeof setUpPath>[0]>;

function keepaliveTo(to: string, options: Options = {}): number {
  const path = setUpPath({ ...options, peer: { candidates: [candidate("host", to)], ...options.peer } });
  path.at(45, answered(endpoint(to)));
  return toKeepalive(path.state(), path.nowMs());
}

describe("a keepalive", () => {
  test("comes from the side behind a NAT", () => {
    expect(keepaliveTo(STUN_ENDPOINT)).toBe(25);
    expect(keepaliveTo(STUN_ENDPOINT, { local: { keepaliveSeconds: 103 } })).toBe(103);
  });

  test("is not needed on one network, nor from a machine that everybody reaches", () => {
    expect(keepaliveTo(LAN_ENDPOINT)).toBe(0);
    expect(keepaliveTo(STUN_ENDPOINT, { addresses: ["192.0.2.1"], local: { nat: NATS.here.none } })).toBe(0);
  });

  test("is needed by a public machine with a firewall, and by one that does not know better", () => {
    const firewall = { ...NATS.here.none, filtering: "address-and-port-dependent" as const };
    expect(keepaliveTo(STUN_ENDPOINT, { addresses: ["192.0.2.1"], local: { nat: firewall } })).toBe(25);
    expect(keepaliveTo(STUN_ENDPOINT, { addresses: ["10.0.0.1"], local: { nat: null } })).toBe(25);
  });

  test("is needed where nobody could find out whether a firewall lets in what comes unasked", () => {
    const unknown = { ...NATS.here.none, filtering: "unknown" as const };
    expect(keepaliveTo(STUN_ENDPOINT, { addresses: ["192.0.2.1"], local: { nat: unknown } })).toBe(25);
    expect(keepaliveTo(STUN_ENDPOINT, { addresses: ["192.0.2.1"], local: { nat: null } })).toBe(25);
    const addresses = ["192.0.2.1", "2001:db8:1::1"];
    expect(keepaliveTo("[2001:db8:2::2]:51820", { addresses, local: { nat: null } })).toBe(25);
    expect(keepaliveTo("[2001:db8:2::2]:51820", { addresses, local: { nat: NATS.here.none } })).toBe(0);
  });

  test("goes over IPv6 too, because a router with a NAT has a firewall", () => {
    const addresses = ["10.0.0.1", "2001:db8:1::1"];
    expect(keepaliveTo("[2001:db8:2::2]:51820", { addresses })).toBe(25);
  });

  test("is not sent through a relay", () => {
    const path = setUpPath();
    path.at(100, { type: "relay_peer", isPresent: true });
    expect(toKeepalive(path.state(), path.nowMs())).toBe(0);
  });

  test("is a share of what the NAT was seen to outlive", () => {
    expect([null, 30, 60, 120, 5].map(toKeepaliveSeconds)).toEqual([25, 27, 54, 108, 10]);
  });
});
