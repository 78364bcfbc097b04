// Links, addresses and routes by iproute2's `ip`. Reads with `-json`; writes many things with one process (`-batch`).
import type { Exec } from "../system/exec.ts";
import type { Family } from "./nft/lan-rules.ts";
import { type Link, MAX_ROUTES_CHARS, parseLinks, parseRoutes, type Route } from "./parse-ip.ts";

export interface Ip {
  /** Every link with its addresses. */
  readLinks(): Promise<Link[]>;
  /** Of the main table, without our BIRDs'. It reads those too, of which there may be thousands: not to be asked all the time. */
  readRoutes(family: Family): Promise<Route[]>;
  /** Rejects when the link does not exist. */
  deleteLink(name: string): Promise<void>;
  /** Makes what was asked and leaves the rest. One change that fails does not keep the others back; then it rejects at the end. */
  configureLink(name: string, changes: LinkChanges): Promise<void>;
  /** Of packets that come in on this interface, and of no other; of both families unless told one. */
  setForwarding(name: string, isOn: boolean, family?: Family): Promise<void>;
}

export interface LinkChanges {
  readonly alias?: string;
  readonly mtuBytes?: number;
  readonly isUp?: true;
  /** With prefix length, like `10.1.0.7/16`. */
  readonly addAddresses: readonly string[];
  readonly removeAddresses: readonly string[];
}

export function createIp(exec: Exec): Ip {
  return {
    async readLinks() {
      return parseLinks((await exec.run(["ip", "-json", "-details", "address", "show"])).stdout);
    },
    async readRoutes(family) {
      const option = family === "ipv6" ? "-6" : "-4";
      const argv = ["ip", "-json", option, "route", "show", "table", "main"] as const;
      const { stdout } = await exec.run(argv, { maxOutputChars: MAX_ROUTES_CHARS });
      return parseRoutes(stdout, family === "ipv6");
    },
    async deleteLink(name) {
      await exec.run(["ip", "link", "delete", "dev", name]);
    },
    async configureLink(name, changes) {
      const stdin = renderLinkBatch(name, changes);
      // -force goes on after a line that failed (IPv6 may be off on this host; IPv4 shall work all the same) and still exits with 1.
      await exec.run(["ip", "-force", "-batch", "-"], { stdin });
    },
    async setForwarding(name, isOn, family) {
      const value = isOn ? 1 : 0;
      // A path: sysctl takes the dot of eth0.7 for a separator.
      if (family !== "ipv6") await exec.run(["sysctl", "-q", "-w", `net/ipv4/conf/${name}/forwarding=${value}`]);
      // One interface alone can forward IPv6 from Linux 6.17 on; before that it is all of them or none, which is the operator's to decide.
      if (family !== "ipv4")
        await exec.run(["sysctl", "-q", "-e", "-w", `net/ipv6/conf/${name}/force_forwarding=${value}`]);
    },
  };
}

/** The lines for `ip -batch`. */
export function renderLinkBatch(name: string, changes: LinkChanges): string {
  const { alias, mtuBytes, isUp, addAddresses, removeAddresses } = changes;
  // A single IPv6 address is a VIP's: deprecated (RFC 4862 section 5.5.4), so that the machine's own address stays the source of what it sends.
  // For IPv4 the route of the mesh's network says so.
  const adds = addAddresses.map(
    (address) => `address replace ${address} dev ${name}${address.endsWith("/128") ? " preferred_lft 0" : ""}`,
  );
  const lines = [
    ...(alias === undefined ? [] : [`link set dev ${name} alias "${alias}"`]),
    ...(mtuBytes === undefined ? [] : [`link set dev ${name} mtu ${mtuBytes}`]),
    ...(isUp ? [`link set dev ${name} up`] : []),
    ...adds,
    ...removeAddresses.map((address) => `address delete ${address} dev ${name}`),
    // Deleting a network's first IPv4 address deletes the others of that network with it, unless
    // net.ipv4.conf.*.promote_secondaries is set (Linux, Documentation/networking/ip-sysctl.rst). `replace` brings ours back.
    ...(removeAddresses.length === 0 ? [] : adds),
  ];
  return `${lines.join("\n")}\n`;
}
