// Cuts and mends cables of a running lab, and moves machines to other addresses.
import type { LabNode, NodeState } from "./node.ts";
import { type PlannedLink, pickIpv4, planFarEnd, planIpv4Change } from "./plan/links.ts";

export interface LinkControl {
  setLink(name: string, state: "up" | "down"): Promise<void>;
  changeAddress(name: string): Promise<string>;
}

interface LinkControlInput {
  readonly links: readonly PlannedLink[];
  /** Their `ipv4` follows address changes. */
  readonly states: readonly NodeState[];
  readonly node: (name: string) => LabNode;
}

export function createLinkControl({ links, states, node }: LinkControlInput): LinkControl {
  // Also those that machines left, so that an old address is never another machine's.
  const usedAddresses = new Set(states.flatMap((state) => state.ipv4 ?? []));

  const find = (name: string) => {
    const link = links.find((candidate) => candidate.near.node === name);
    const state = states.find((candidate) => candidate.name === name);
    if (!link || !state) throw new Error(`"${name}" has no link of its own`);
    return { link, state };
  };
  const configure = (name: string, commands: readonly string[]) =>
    node(name).exec(["ip", "-batch", "-"], { input: commands.join("\n") });

  return {
    setLink: async (name, wanted) => {
      // At the far end, so that the near end loses its carrier and keeps its addresses, as with a pulled cable.
      const { link, state } = find(name);
      await configure(link.far.node, wanted === "up" ? planFarEnd(link, state) : [`link set ${link.far.device} down`]);
    },
    changeAddress: async (name) => {
      const { link, state } = find(name);
      if (state.ipv4 === null) throw new Error(`${name} has no IPv4 address to change`);
      const to = pickIpv4(link, usedAddresses);
      if (to === null) throw new Error(`no address is left for ${name} in ${link.network}`);
      usedAddresses.add(to);
      const change = planIpv4Change(link, { from: state.ipv4, to });
      await configure(link.far.node, change.far);
      await configure(name, change.near);
      state.ipv4 = to;
      return to;
    },
  };
}
