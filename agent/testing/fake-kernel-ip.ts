// `ip`, as far as the agent uses it.

import ipaddr from "ipaddr.js";
import { isInside } from "#schema/address";
import type { Argv } from "../system/exec.ts";
import { emptyDevice, type FakeKernelState, type FakeLink, type Reply } from "./fake-kernel-state.ts";

export function runIp(kernel: FakeKernelState, argv: Argv, stdin: string, hasWireGuard: boolean): Reply {
  const command = argv.slice(1).join(" ");
  if (command === "-V") return { stdout: "ip utility, iproute2-6.1.0\n" };
  if (command === "-json -details address show")
    return { stdout: `${JSON.stringify([...kernel.links].map(([name, link]) => toJson(name, link)))}\n` };
  const family = /^-json -([46]) route show table main$/.exec(command)?.[1];
  if (family !== undefined) return { stdout: showRoutes(kernel, family === "6") };
  if (command === "-force -batch -") return runBatch(kernel, stdin);
  const add = /^link add dev (\S+) type wireguard$/.exec(command);
  if (add?.[1] !== undefined) return addWireGuard(kernel, add[1], hasWireGuard);
  const remove = /^link delete dev (\S+)$/.exec(command);
  if (remove?.[1] !== undefined) {
    return kernel.links.delete(remove[1]) ? { stdout: "" } : { stderr: `Cannot find device "${remove[1]}"` };
  }
  throw new Error(`the fake kernel does not know ${argv.join(" ")}`);
}

function addWireGuard(kernel: FakeKernelState, name: string, hasWireGuard: boolean): Reply {
  if (kernel.links.has(name)) return { stderr: "RTNETLINK answers: File exists" };
  if (!hasWireGuard) return { stderr: "Error: Unknown device type." };
  kernel.addLink(name, { kind: "wireguard", mtuBytes: 1_420, device: emptyDevice() });
  return { stdout: "" };
}

function showRoutes(kernel: FakeKernelState, isIpv6: boolean): string {
  const connected = [...kernel.links].flatMap(([device, { isUp, isLoopback, addresses }]) =>
    isUp && !isLoopback
      ? addresses
          .filter((address) => address.includes(":") === isIpv6)
          .map((address) => ({ destination: toNetwork(address), device, protocol: "kernel" }))
      : [],
  );
  const configured = kernel.routes.filter(({ destination }) => destination.includes(":") === isIpv6);
  const routes = [...configured, ...connected].map(({ destination, device, protocol = "static" }) => ({
    type: "unicast",
    dst: /\/0$/.test(destination) ? "default" : destination.replace(isIpv6 ? /\/128$/ : /\/32$/, ""),
    ...{ dev: device, protocol },
    flags: [],
  }));
  return `${JSON.stringify(routes)}\n`;
}

function toJson(ifname: string, { kind, alias, isUp, isLoopback, mtuBytes, addresses }: FakeLink): object {
  const linkLocal = { family: "inet6", local: "fe80::1", prefixlen: 64, scope: "link" };
  return {
    ifname,
    flags: [...(isLoopback ? ["LOOPBACK"] : []), ...(isUp ? ["UP", "LOWER_UP"] : [])],
    mtu: mtuBytes,
    ...(kind === null ? {} : { linkinfo: { info_kind: kind } }),
    ...(alias === null ? {} : { ifalias: alias }),
    addr_info: [
      ...addresses.map((address) => ({
        family: address.includes(":") ? "inet6" : "inet",
        local: address.split("/")[0],
        prefixlen: Number(address.split("/")[1]),
        scope: isLoopback ? "host" : "global",
      })),
      ...(isUp && !isLoopback ? [linkLocal] : []),
    ],
  };
}

function runBatch(kernel: FakeKernelState, stdin: string): Reply {
  const errors = stdin
    .trim()
    .split("\n")
    .flatMap((line, index) => {
      const refusal = kernel.fail(["ip", ...line.split(" ")], "");
      const error = refusal ?? runBatchLine(kernel, line);
      return error === null ? [] : [`${error}\nCommand failed -:${index + 1}`];
    });
  return errors.length === 0 ? { stdout: "" } : { stderr: errors.join("\n") };
}

/** The error, or null. */
function runBatchLine(kernel: FakeKernelState, line: string): string | null {
  const [, name = ""] = / dev (\S+)/.exec(line) ?? [];
  const link = kernel.links.get(name);
  if (link === undefined) return `Cannot find device "${name}"`;
  const alias = /^link set dev \S+ alias "([^"]*)"$/.exec(line)?.[1];
  const mtu = /^link set dev \S+ mtu (\d+)$/.exec(line)?.[1];
  const address = /^address replace (\S+) dev \S+(?: preferred_lft 0)?$/.exec(line)?.[1];
  const oldAddress = /^address delete (\S+) dev \S+$/.exec(line)?.[1];
  if (alias !== undefined) link.alias = alias;
  else if (mtu !== undefined) link.mtuBytes = Number(mtu);
  else if (address !== undefined) addAddress(link, address);
  else if (oldAddress !== undefined) return deleteAddress(link, oldAddress);
  else if (line === `link set dev ${name} up`) setUp(kernel, link);
  else throw new Error(`the fake kernel does not know ip ${line}`);
  return null;
}

function setUp(kernel: FakeKernelState, link: FakeLink): void {
  link.isUp = true;
  // WireGuard opens its socket when the link comes up, on a port of its choice unless it was told one.
  if (link.device?.listenPort === 0) link.device.listenPort = 40_000 + kernel.links.size;
}

function addAddress(link: FakeLink, address: string): void {
  if (!link.addresses.includes(address)) link.addresses.push(address);
}

/** Deleting the primary IPv4 address of a network deletes its secondary ones, as Linux does without promote_secondaries. */
function deleteAddress(link: FakeLink, address: string): string | null {
  if (!link.addresses.includes(address)) return "RTNETLINK answers: Cannot assign requested address";
  const inNetwork = (other: string) => !other.includes(":") && isInside(other.split("/")[0] ?? "", toNetwork(address));
  const isPrimary = !address.includes(":") && link.addresses.find(inNetwork) === address;
  link.addresses = link.addresses.filter((other) => other !== address && !(isPrimary && inNetwork(other)));
  return null;
}

function toNetwork(address: string): string {
  const length = address.split("/")[1];
  if (address.includes(":")) return `${ipaddr.IPv6.networkAddressFromCIDR(address).toRFC5952String()}/${length}`;
  return `${ipaddr.IPv4.networkAddressFromCIDR(address)}/${length}`;
}
