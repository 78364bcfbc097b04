// Which of this machine's addresses others may try to reach it at, and which networks it is on. Pure.
import ipaddr from "ipaddr.js";
import { renderEndpoint } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import { MAX_ENDPOINTS_PER_MEMBER } from "#schema/limits";
import { INTERFACE_PREFIX } from "./interface-name.ts";
import type { Link } from "./parse-ip.ts";

export interface LocalAddress {
  readonly interfaceName: string;
  readonly address: string;
  /** Of the network that the interface is on. */
  readonly prefixLength: number;
}

/** Our own interfaces and other tunnels (an underlay inside an overlay), and links that lead to nobody. */
const EXCLUDED_KINDS = new Set(["wireguard", "tun", "dummy", "ifb", "nlmon", "vcan"]);
/** Bridges and pairs of container and virtual machine runtimes: their networks exist on this machine only, and on every other one alike. */
const CONTAINER_INTERFACE =
  /^(docker\d+|docker_gwbridge|br-[0-9a-f]{12}|veth[0-9a-f]{6,}|virbr\d+|lxcbr\d+|lxdbr\d+|incusbr\d+|podman\d+|cni\d+|cni-podman\d+|cali[0-9a-f]+|flannel[.-].*|kube-.*|weave|vmnet\d+|vboxnet\d+)$/;

export function toLocalAddresses(links: readonly Link[]): LocalAddress[] {
  return links
    .filter(isUnderlay)
    .flatMap(({ name, addresses }) =>
      addresses
        .filter(({ address, scope, isTemporary }) => scope === "global" && !isTemporary && isReachable(address))
        .map(({ address, prefixLength }) => ({ interfaceName: name, address, prefixLength })),
    );
}

/** Host candidates in the order of the interfaces, which is stable: an unchanged machine has nothing to tell. */
export function toHostCandidates(addresses: readonly LocalAddress[], listenPort: number): Candidate[] {
  const endpoints = addresses.map(({ address }) => renderEndpoint({ address, port: listenPort }));
  return [...new Set(endpoints)].slice(0, MAX_ENDPOINTS_PER_MEMBER).map((endpoint) => ({ type: "host", endpoint }));
}

function isUnderlay({ name, kind, isUp, isLoopback }: Link): boolean {
  return (
    isUp &&
    !isLoopback &&
    !EXCLUDED_KINDS.has(kind ?? "") &&
    !name.startsWith(INTERFACE_PREFIX) &&
    !CONTAINER_INTERFACE.test(name)
  );
}

const UNREACHABLE_RANGES = new Set(["unspecified", "loopback", "linkLocal", "multicast", "broadcast"]);

function isReachable(address: string): boolean {
  return !UNREACHABLE_RANGES.has(ipaddr.parse(address).range());
}
