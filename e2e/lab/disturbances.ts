// What happens to networks in life: routers reboot, paths die without a word, IPv6 comes and goes, laptops sleep.
import type { LabNode, NodeState } from "./node.ts";
import { type PlannedLink, planNearEnd } from "./plan/links.ts";
import { type PortRange, renderRouterRules } from "./plan/nat.ts";
import { startPortMappingDaemon } from "./port-mapping-daemon.ts";
import { listNeighbours } from "./system/proc.ts";
import type { LabProcess } from "./system/process.ts";

export interface Disturbances {
  /**
   * A router (of a LAN, or a carrier) forgets every mapping and gives away other ports than before; a full-cone NAT has none to choose.
   * With `isNewAddress` it also gets another address on its WAN side. Takes the wire down meanwhile.
   */
  rebootNat(name: string, options?: { isNewAddress?: boolean }): Promise<void>;
  /** Takes a machine's IPv6 address and route, and gives them back. */
  setIpv6(name: string, wanted: "on" | "off"): Promise<void>;
  /** UDP between the sites of two machines vanishes, in both directions. */
  blackhole(a: string, b: string): Promise<void>;
  heal(a: string, b: string): Promise<void>;
  /** Drops this many of a hundred packets, at random, to and from the site of a machine; 0: none. */
  setLoss(name: string, percent: number): Promise<void>;
  /** A closed lid: every program of a machine stops where it is, and the cable is pulled. The wall clock goes on. */
  fallAsleep(name: string): Promise<void>;
  wakeUp(name: string): Promise<void>;
}

export interface DisturbancesInput {
  readonly links: readonly PlannedLink[];
  readonly states: readonly NodeState[];
  readonly node: (name: string) => LabNode;
  readonly setLink: (name: string, state: "up" | "down") => Promise<void>;
  readonly changeAddress: (name: string) => Promise<string>;
}

/** Where the ports of a NAT begin after each reboot: clear of WireGuard's own port, which an easy NAT would keep. */
const FIRST_PORT = 20_000;
const PORTS_PER_BOOT = 2_000;
const BOOTS = 10;

export function createDisturbances(input: DisturbancesInput): Disturbances & { startDaemons(): Promise<void> } {
  const { links, states, node, setLink, changeAddress } = input;
  const daemons = new Map<string, LabProcess>();
  const boots = new Map<string, number>();
  const asleep = new Map<string, number[]>();
  const losses = new Map<string, number>();

  const stateOf = (name: string) => {
    const state = states.find((candidate) => candidate.name === name);
    if (!state) throw new Error(`there is no "${name}" in this lab`);
    return state;
  };
  const siteOf = (name: string) => findSite(links, stateOf(name).lan ?? name);
  const editBlackholes = async (verb: "add" | "delete", a: string, b: string) => {
    const [left, right] = [siteOf(a), siteOf(b)];
    if (left === right) throw new Error(`${a} and ${b} do not meet on the internet`);
    const elements = `{ ${left} . ${right}, ${right} . ${left} }`;
    await node("internet").exec(["nft", `${verb} element inet lab blackholes ${elements}`]);
  };
  const startDaemon = async (name: string) => daemons.set(name, await startPortMappingDaemon(node(name)));

  return {
    startDaemons: async () => {
      const mapped = states.filter((state) => state.nat?.kind === "mapped");
      await Promise.all(mapped.map((state) => startDaemon(state.name)));
    },
    rebootNat: async (name, { isNewAddress = false } = {}) => {
      const { nat } = stateOf(name);
      if (!nat) throw new Error(`"${name}" is no router`);
      const boot = (boots.get(name) ?? -1) + 1;
      boots.set(name, boot);
      if (isNewAddress) await changeAddress(name);
      await setLink(name, "down");
      await daemons.get(name)?.stop();
      const rules = renderRouterRules(nat, { ports: portsOf(boot) });
      await node(name).exec(["nft", "-f", "-"], { input: rules });
      await node(name).exec(["conntrack", "--flush"]);
      if (daemons.has(name)) await startDaemon(name);
      await setLink(name, "up");
    },
    setIpv6: async (name, wanted) => {
      const link = links.find((candidate) => candidate.near.node === name);
      const { ipv4, ipv6 } = stateOf(name);
      if (!link || !ipv6) throw new Error(`"${name}" has no IPv6 address`);
      const { device } = link.near;
      // Disabled, Linux drops addresses and routes of that family and tells whoever listens (netlink), as when a lease ends.
      const disabled = wanted === "off" ? 1 : 0;
      await node(name).exec(["sysctl", "--quiet", `net.ipv6.conf.${device}.disable_ipv6=${disabled}`]);
      if (wanted === "on")
        await node(name).exec(["ip", "-batch", "-"], { input: planNearEnd(link, { ipv4, ipv6 }).join("\n") });
    },
    blackhole: (a, b) => editBlackholes("add", a, b),
    heal: (a, b) => editBlackholes("delete", a, b),
    setLoss: async (name, percent) => {
      losses.set(siteOf(name), percent);
      await node("internet").exec(["nft", "-f", "-"], { input: renderLosses(losses) });
    },
    fallAsleep: async (name) => {
      await setLink(name, "down");
      const { pid } = stateOf(name);
      const pids = listNeighbours(pid);
      for (const one of pids) signal(one, "SIGSTOP");
      asleep.set(name, pids);
    },
    wakeUp: async (name) => {
      for (const pid of asleep.get(name) ?? []) signal(pid, "SIGCONT");
      asleep.delete(name);
      await setLink(name, "up");
    },
  };
}

/** By nftables: not every kernel has netem. */
function renderLosses(losses: ReadonlyMap<string, number>): string {
  const rules = [...losses].flatMap(([site, percent]) =>
    percent === 0
      ? []
      : ["iifname", "oifname"].map((side) => `${side} "${site}" numgen random mod 100 < ${percent} drop`),
  );
  const chain = ["type filter hook forward priority filter - 1", ...rules].join("; ");
  return `table inet losses\ndelete table inet losses\ntable inet losses {\n chain forward { ${chain}; }\n}\n`;
}

function portsOf(boot: number): PortRange {
  const first = FIRST_PORT + (boot % BOOTS) * PORTS_PER_BOOT;
  return [first, first + PORTS_PER_BOOT - 1];
}

/** The site on the internet through which a node goes: itself, or its carrier, or its carrier's … */
function findSite(links: readonly PlannedLink[], name: string): string {
  const link = links.find((candidate) => candidate.near.node === name);
  if (!link) throw new Error(`"${name}" has no link of its own`);
  return link.far.node === "internet" ? link.far.device : findSite(links, link.far.node);
}

function signal(pid: number, name: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
