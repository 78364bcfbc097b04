// The networks that most scenarios use.
import type { TopologyInput } from "../lab/plan/topology.ts";

/** alice and bob on one LAN behind an easy NAT. */
export const oneLan: TopologyInput = {
  lans: [{ name: "home", nat: "easy" }],
  machines: [
    { name: "alice", lan: "home" },
    { name: "bob", lan: "home" },
  ],
};

/** The same LAN, and carol and dave with public addresses. */
export const fourMachines: TopologyInput = {
  lans: [{ name: "home", nat: "easy" }],
  machines: [{ name: "alice", lan: "home" }, { name: "bob", lan: "home" }, { name: "carol" }, { name: "dave" }],
};
