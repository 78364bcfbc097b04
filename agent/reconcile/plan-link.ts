// What to change about the link of one of our interfaces: mark, MTU, up, addresses, what it forwards. Pure.
import ipaddr from "ipaddr.js";
import { isOverlapping } from "#schema/address";
import { INTERFACE_PREFIX, renderAlias } from "../net/interface-name.ts";
import type { LinkChanges } from "../net/ip.ts";
import { type Forwarding, isSameForwarding } from "../net/nft/forward-rules.ts";
import type { Route } from "../net/parse-ip.ts";
import type { DesiredDevice } from "./desired-device.ts";
import type { ObservedLink, ObservedState } from "./observed-state.ts";
import type { StepArgs } from "./steps.ts";

export interface LinkPlan {
  readonly changes: LinkChanges;
  /** Empty when there is nothing to change. */
  readonly reasons: readonly string[];
  /** Addresses that can't be had, in words. */
  readonly overlaps: readonly string[];
}

/** @param current the link as it is; undefined when it is about to be made; @param routes the machine's own, IPv4 */
export function planLink(device: DesiredDevice, current: ObservedLink | undefined, routes: readonly Route[]): LinkPlan {
  const present = (current?.addresses ?? [])
    .filter(({ scope }) => scope === "global")
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  const overlaps = device.addresses.flatMap((address) => findOverlap(address, device, routes));
  const blocked = new Set(overlaps.map(({ address }) => address));
  const allowed = device.addresses.filter((address) => !blocked.has(address) || present.includes(address));
  const missing = allowed.filter((address) => !present.includes(address));
  const removeAddresses = present.filter((address) => !device.addresses.includes(address));
  const alias = renderAlias(device.meshId);
  const changes: LinkChanges = {
    ...(current?.alias === alias ? {} : { alias }),
    ...(current?.mtuBytes === device.mtuBytes ? {} : { mtuBytes: device.mtuBytes }),
    ...(current?.isUp ? {} : { isUp: true }),
    // A removal may take others with it, see renderLinkBatch.
    addAddresses: removeAddresses.length === 0 ? missing : allowed,
    removeAddresses,
  };
  const reasons = [
    ...(changes.alias === undefined ? [] : ["not marked as ours"]),
    ...(changes.mtuBytes === undefined ? [] : [`MTU was ${current?.mtuBytes ?? "not set"}`]),
    ...(changes.isUp === undefined ? [] : ["it was down"]),
    ...missing.map((address) => `${address} is missing`),
    ...removeAddresses.map((address) => `${address} is not ours any more`),
  ];
  return { changes, reasons, overlaps: overlaps.map(({ message }) => message) };
}

/** Null: it is as it should be. @param current as for planLink */
export function planForwarding(
  { forwardsTo, networks }: DesiredDevice,
  current: ObservedLink | undefined,
  { isForwardingByDefault, isForwardingIpv6 }: ObservedState,
): { readonly reason: string; readonly args: StepArgs["link.forward"] } | null {
  const wanted = { to: forwardsTo, networks };
  const isOn = isForwarding(wanted);
  const isGuarded = isOn || isForwardingIpv6;
  const guard = current?.guard ?? null;
  const reasons = [
    ...(isOn === (current?.isForwarding ?? isForwardingByDefault)
      ? []
      : [isOn ? "it has to forward" : "it has nothing to forward"]),
    ...(isGuarded === (guard !== null) && isSameForwarding(guard ?? NOWHERE, wanted)
      ? []
      : ["packets may go elsewhere"]),
  ];
  return reasons.length === 0 ? null : { reason: reasons.join("; "), args: { ...wanted, isGuarded } };
}

const NOWHERE: Forwarding = { to: [], networks: [] };

export const isForwarding = ({ to, networks }: Forwarding): boolean => to.length > 0 || networks.length > 0;

/**
 * A network that the machine reaches elsewhere is not taken over: the address would bring a route to the whole mesh with it. What our BIRD has
 * from another mesh does not count: it is behind what the address brings, which is more exact or comes first.
 */
function findOverlap(address: string, { interfaceName }: DesiredDevice, routes: readonly Route[]) {
  if (address.includes(":")) return [];
  const network = ipaddr.IPv4.networkAddressFromCIDR(address).toString() + address.slice(address.indexOf("/"));
  const other = routes.find(
    ({ destination, device, protocol }) =>
      device !== interfaceName &&
      !(protocol === "bird" && device.startsWith(INTERFACE_PREFIX)) &&
      destination !== "0.0.0.0/0" &&
      isOverlapping(network, destination),
  );
  if (other === undefined) return [];
  return [
    { address, message: `${network} overlaps ${other.destination}, which this machine reaches by ${other.device}` },
  ];
}
