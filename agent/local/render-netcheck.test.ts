import { expect, it } from "vitest";
import { NatReport } from "#schema/nat";
import { renderNetcheck } from "./render-netcheck.ts";

const EASY = NatReport.parse({
  at: "2026-11-23T09:30:00.000Z",
  udp: { ipv4: true, ipv6: false },
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  preservesPort: true,
  hairpinning: false,
  mappingLifetimeSeconds: 58,
  publicAddresses: ["198.51.100.1"],
  portMapping: { protocols: ["pcp", "upnp"], endpoints: ["198.51.100.1:51820"], problem: null },
  stun: [
    { server: "stun.example.org:3478", mapped: "198.51.100.1:51820", roundTripMs: 12.4 },
    { server: "stun.example.net:3478", mapped: null, roundTripMs: null },
  ],
  checksProblem: null,
});

it("tells what stands before a machine behind an easy NAT", () => {
  expect(renderNetcheck(EASY)).toBe(`\
UDP             open for IPv4; no answer over IPv6
public address  198.51.100.1
NAT             easy: every destination sees the same public port (endpoint-independent mapping)
comes in        only from endpoints that were sent to (address-and-port-dependent filtering)
public port     the same as the machine's own (port preservation)
hairpinning     no: machines behind this NAT don't reach each other by their public endpoints
mapping lives   at least 58 s without traffic
port mapping    PCP, UPnP: 198.51.100.1:51820
checks          sent from WireGuard's own port

STUN SERVER            SEES US AT          ROUND TRIP
stun.example.org:3478  198.51.100.1:51820       12 ms
stun.example.net:3478  no answer                    -`);
});

it("tells of a machine without NAT", () => {
  const report: NatReport = {
    ...EASY,
    udp: { ipv4: true, ipv6: true },
    mapping: "none",
    filtering: "endpoint-independent",
    preservesPort: null,
    hairpinning: null,
    mappingLifetimeSeconds: null,
    portMapping: { protocols: [], endpoints: [], problem: null },
    stun: [],
  };

  expect(renderNetcheck({ ...report, stun: EASY.stun.slice(0, 1) })).toBe(`\
UDP             open for IPv4 and IPv6
public address  198.51.100.1
NAT             none: this machine has the address that others see
comes in        open: packets from anybody come in (endpoint-independent filtering)
public port     the machine's own
hairpinning     not tried: nothing to gain here
mapping lives   there is none
port mapping    the router offers none
checks          sent from WireGuard's own port

STUN SERVER            SEES US AT          ROUND TRIP
stun.example.org:3478  198.51.100.1:51820       12 ms`);
});

it("tells of a machine whose UDP is blocked and that has no nft", () => {
  const report: NatReport = {
    ...EASY,
    udp: { ipv4: false, ipv6: false },
    mapping: "unknown",
    filtering: "unknown",
    preservesPort: null,
    hairpinning: null,
    mappingLifetimeSeconds: null,
    publicAddresses: [],
    portMapping: { protocols: ["nat-pmp"], endpoints: [], problem: "the router refused" },
    stun: EASY.stun.slice(1),
    checksProblem: "nft is not installed, so peers are tried only where they were seen",
  };

  expect(renderNetcheck(report)).toBe(`\
UDP             blocked, or no network: no STUN server answered
public address  not known
NAT             not known
comes in        not known: no STUN server here answers from another address (RFC 5780)
public port     not known
hairpinning     not tried: nothing to gain here
mapping lives   not measured yet, or no STUN server can help to (RFC 5780)
port mapping    NAT-PMP (the router refused)
checks          nft is not installed, so peers are tried only where they were seen

STUN SERVER            SEES US AT  ROUND TRIP
stun.example.net:3478  no answer            -`);
});
