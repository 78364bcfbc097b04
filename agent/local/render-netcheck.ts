// `becket netcheck` as a person reads it: plain words, and the RFC's terms for who wants to look them up. Pure.
import type { NatFiltering, NatMapping, NatReport } from "#schema/nat";
import { renderTable } from "./render-table.ts";

const MAPPING_WORDS: Record<NatMapping, string> = {
  none: "none: this machine has the address that others see",
  "endpoint-independent": "easy: every destination sees the same public port (endpoint-independent mapping)",
  "address-dependent": "hard: every destination address sees another public port (address-dependent mapping)",
  "address-and-port-dependent":
    "hard: every destination sees another public port (address-and-port-dependent mapping, also called symmetric)",
  unknown: "not known: it takes answers from two STUN servers to tell",
};

const FILTERING_WORDS: Record<NatFiltering, string> = {
  "endpoint-independent": "open: packets from anybody come in (endpoint-independent filtering)",
  "address-dependent": "only from addresses that were sent to (address-dependent filtering)",
  "address-and-port-dependent": "only from endpoints that were sent to (address-and-port-dependent filtering)",
  unknown: "not known: no STUN server here answers from another address (RFC 5780)",
};

const PROTOCOL_NAMES = { upnp: "UPnP", "nat-pmp": "NAT-PMP", pcp: "PCP" } as const;

export function renderNetcheck(report: NatReport): string {
  const lines: [string, string][] = [
    ["UDP", renderUdp(report)],
    ["public address", report.publicAddresses.join(", ") || "not known"],
    ["NAT", report.udp.ipv4 || report.udp.ipv6 ? MAPPING_WORDS[report.mapping] : "not known"],
    ["comes in", FILTERING_WORDS[report.filtering]],
    ["public port", renderPort(report)],
    ["hairpinning", renderHairpinning(report)],
    ["mapping lives", renderLifetime(report)],
    ["port mapping", renderPortMapping(report)],
    ["checks", report.checksProblem ?? "sent from WireGuard's own port"],
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  const head = lines.map(([name, text]) => `${name.padEnd(width)}${text}`).join("\n");
  return `${head}\n\n${renderServers(report)}`;
}

function renderUdp({ udp, stun }: NatReport): string {
  if (stun.length === 0) return "not known: no STUN servers are configured";
  if (!udp.ipv4 && !udp.ipv6) return "blocked, or no network: no STUN server answered";
  if (udp.ipv4 && udp.ipv6) return "open for IPv4 and IPv6";
  return udp.ipv4 ? "open for IPv4; no answer over IPv6" : "open for IPv6; no answer over IPv4";
}

function renderPort({ preservesPort, mapping }: NatReport): string {
  if (preservesPort === null) return mapping === "none" ? "the machine's own" : "not known";
  return preservesPort ? "the same as the machine's own (port preservation)" : "another one than the machine's own";
}

function renderHairpinning({ hairpinning }: NatReport): string {
  if (hairpinning === null) return "not tried: nothing to gain here";
  return hairpinning
    ? "yes: machines behind this NAT reach each other by their public endpoints"
    : "no: machines behind this NAT don't reach each other by their public endpoints";
}

function renderLifetime({ mappingLifetimeSeconds, mapping }: NatReport): string {
  if (mapping === "none") return "there is none";
  if (mappingLifetimeSeconds === null) return "not measured yet, or no STUN server can help to (RFC 5780)";
  if (mappingLifetimeSeconds === 0) return "shorter than the shortest silence that was tried";
  return `at least ${mappingLifetimeSeconds} s without traffic`;
}

function renderPortMapping({ portMapping: { protocols, endpoints, problem } }: NatReport): string {
  const offered = protocols.map((name) => PROTOCOL_NAMES[name]).join(", ");
  const opened = endpoints.length === 0 ? "" : `: ${endpoints.join(", ")}`;
  const trouble = problem === null ? "" : ` (${problem})`;
  return `${offered || "the router offers none"}${opened}${trouble}`;
}

function renderServers({ stun }: NatReport): string {
  if (stun.length === 0) return "No STUN servers.";
  return renderTable(
    [{ title: "STUN SERVER" }, { title: "SEES US AT" }, { title: "ROUND TRIP", align: "right" }],
    stun.map(({ server, mapped, roundTripMs }) => [
      server,
      mapped ?? "no answer",
      roundTripMs === null ? "-" : `${Math.round(roundTripMs)} ms`,
    ]),
  );
}
