// Which endpoints of the configured STUN servers to ask: one of each address family that this machine could reach. Pure, but for the
// names, which the caller's function resolves.
import ipaddr from "ipaddr.js";
import { type Endpoint, IpAddress, isPrivateAddress, renderEndpoint } from "#schema/address";
import type { StunServer } from "#schema/nat";
import type { ResolveHost } from "../system/resolve-host.ts";

export interface StunTarget {
  /** As configured. */
  readonly server: StunServer;
  readonly endpoint: Endpoint;
}

export async function findTargets(
  server: StunServer,
  resolveHost: ResolveHost,
  localAddresses: readonly string[],
): Promise<StunTarget[]> {
  const { host, port } = splitServer(server);
  if (port < 1 || port > 65_535) return [];
  const { ipv4, ipv6 } = await resolveHost(host);
  return [ipv4[0], ipv6[0]].flatMap((text) => {
    const address = IpAddress.safeParse(text);
    if (!address.success || !hasWayTo(address.data, localAddresses)) return [];
    return [{ server, endpoint: renderEndpoint({ address: address.data, port }) }];
  });
}

function splitServer(server: StunServer): { host: string; port: number } {
  const at = server.lastIndexOf(":");
  return { host: server.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(server.slice(at + 1)) };
}

/**
 * Without an address of that family nothing would come back, and silence costs seconds. A private address only counts for IPv4, where
 * NATs are: a ULA doesn't reach a public server.
 */
function hasWayTo(target: string, localAddresses: readonly string[]): boolean {
  if (isPrivateAddress(target)) return true;
  const isIpv6 = target.includes(":");
  return localAddresses.some(
    (address) => address.includes(":") === isIpv6 && (isIpv6 ? !isPrivateAddress(address) : isRoutable(address)),
  );
}

const isRoutable = (address: string): boolean => !["loopback", "linkLocal"].includes(ipaddr.parse(address).range());
