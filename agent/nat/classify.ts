// From what STUN servers said to the words of RFC 4787, by the tests of RFC 5780. Pure.
import { type Endpoint, type Ipv4, parseEndpoint } from "#schema/address";
import {
  isHardNat,
  type NatFiltering,
  type NatMapping,
  type NatReport,
  type NatSummary,
  PublicIpv4,
} from "#schema/nat";

/** One server's view of one socket. */
export interface MappingObservation {
  readonly server: Endpoint;
  readonly mapped: Endpoint;
}

/**
 * What the observations of one socket, of one address family, say. Between address-dependent and address-and-port-dependent only two
 * ports of one server can tell; without them the harder one is assumed, which makes no difference to what peers can do.
 */
export function classifyMapping(
  observations: readonly MappingObservation[],
  isLocalAddress: (address: string) => boolean,
): NatMapping {
  if (observations.some(({ mapped }) => isLocalAddress(addressOf(mapped)))) return "none";
  const addresses = [...new Set(observations.map(({ server }) => addressOf(server)))];
  if (countOf(observations, "mapped") <= 1) return addresses.length > 1 ? "endpoint-independent" : "unknown";
  const twoPortsOfOne = addresses
    .map((address) => observations.filter(({ server }) => addressOf(server) === address))
    .filter((group) => countOf(group, "server") > 1);
  const isPortIgnored = twoPortsOfOne.length > 0 && twoPortsOfOne.every((group) => countOf(group, "mapped") === 1);
  return isPortIgnored ? "address-dependent" : "address-and-port-dependent";
}

const countOf = (observations: readonly MappingObservation[], what: keyof MappingObservation): number =>
  new Set(observations.map((observation) => observation[what])).size;

/** `untested`: the server doesn't answer from elsewhere, or refused. */
export type FilteringOutcome = "answered" | "silent" | "untested";

/** Whether an answer came from an address and port, and from a port, that the socket never sent to. */
export interface FilteringTest {
  readonly fromOtherAddress: FilteringOutcome;
  readonly fromOtherPort: FilteringOutcome;
}

export interface FilteringTests {
  /** Of the socket on WireGuard's port, which a router may forward although it filters for all others. */
  readonly probe: FilteringTest;
  /** Of a socket that sent to nobody but the server. */
  readonly fresh: FilteringTest;
  /** The probe never sent to the server's other address, so an answer from there came in unasked. */
  readonly isProbePristine: boolean;
}

export function classifyFiltering({ probe, fresh, isProbePristine }: FilteringTests): NatFiltering {
  if (fresh.fromOtherAddress === "answered") return "endpoint-independent";
  if (probe.fromOtherAddress === "answered") {
    // Under address-dependent filtering the probe may have opened that address itself.
    const isExplained = !isProbePristine && fresh.fromOtherPort === "answered";
    return isExplained ? "address-dependent" : "endpoint-independent";
  }
  const outcomes = [probe, fresh].flatMap(({ fromOtherAddress, fromOtherPort }) => [fromOtherAddress, fromOtherPort]);
  if (outcomes.includes("untested")) return "unknown";
  const isPortOpen = probe.fromOtherPort === "answered" || fresh.fromOtherPort === "answered";
  return isPortOpen ? "address-dependent" : "address-and-port-dependent";
}

/** Null: no NAT, or nothing known. */
export function toPortPreservation(
  mapping: NatMapping,
  observations: readonly MappingObservation[],
  localPort: number,
): boolean | null {
  if (mapping === "none" || observations.length === 0) return null;
  return observations.every(({ mapped }) => parseEndpoint(mapped)?.port === localPort);
}

export function toNatSummary({ mapping, filtering, udp, stun, publicAddresses }: NatReport): NatSummary {
  const publicAddress = publicAddresses.find((address): address is Ipv4 => PublicIpv4.safeParse(address).success);
  return {
    mapping,
    filtering,
    // Without a server to ask, nothing says that it isn't.
    isUdpOpen: udp.ipv4 || udp.ipv6 || stun.length === 0,
    ...(publicAddress === undefined ? {} : { publicAddress }),
  };
}

/** A second test can sharpen what the first one found, not contradict it. */
export function sharpenMapping(found: NatMapping, closer: NatMapping): NatMapping {
  if (found === "unknown") return closer;
  return isHardNat({ mapping: found }) && isHardNat({ mapping: closer }) ? closer : found;
}

export function addressOf(endpoint: Endpoint): string {
  return parseEndpoint(endpoint)?.address ?? "";
}
