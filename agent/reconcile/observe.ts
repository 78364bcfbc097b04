// Reads the system into an ObservedState. Looks into WireGuard only through `bkt-` interfaces: the dump of another one would bring
// somebody else's private key into this process.
import { INTERFACE_PREFIX } from "../net/interface-name.ts";
import type { Ip } from "../net/ip.ts";
import type { ForwardGuard } from "../net/nft/forward-guard.ts";
import type { Link } from "../net/parse-ip.ts";
import { isCommandError } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import { isParseError } from "../system/parse-error.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { ObservedLink, ObservedState } from "./observed-state.ts";

export interface Eyes {
  readonly ip: Ip;
  readonly guard: ForwardGuard;
  readonly wireguard: WireGuard;
  readonly files: Pick<Files, "read">;
}

export async function readObservedState({ ip, guard, wireguard, files }: Eyes): Promise<ObservedState> {
  const links = await ip.readLinks();
  const isOn = async (key: string) => (await files.read(`/proc/sys/net/${key}/forwarding`))?.trim() === "1";
  const read = async (link: Link): Promise<Omit<ObservedLink, "guard">> => {
    if (!link.name.startsWith(INTERFACE_PREFIX))
      return { ...link, isForwarding: false, wireguard: { state: "absent" } };
    const [isForwarding, observed] = await Promise.all([
      isOn(`ipv4/conf/${link.name}`),
      readWireGuard(link, wireguard),
    ]);
    return { ...link, isForwarding, wireguard: observed };
  };
  const [isForwardingByDefault, isForwardingIpv6, ...found] = await Promise.all([
    isOn("ipv4/conf/default"),
    isOn("ipv6/conf/all"),
    ...links.map(read),
  ]);
  const isAnyForwarding = isForwardingIpv6 || found.some(({ isForwarding }) => isForwarding);
  const guards = isAnyForwarding ? (await guard.read()).meshes : new Map();
  return {
    links: found.map((link) => ({ ...link, guard: guards.get(link.name) ?? null })),
    ...{ isForwardingByDefault, isForwardingIpv6 },
  };
}

async function readWireGuard(link: Link, wireguard: WireGuard): Promise<ObservedLink["wireguard"]> {
  try {
    const device = await wireguard.readDevice(link.name);
    return device === null ? { state: "absent" } : { state: "present", device };
  } catch (error) {
    // One interface that does not answer must not hide the others.
    if (!isCommandError(error) && !isParseError(error)) throw error;
    return { state: "unreadable", problem: error.message };
  }
}
