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

/** alice and bob behind easy NATs of their own. */
export const twoHomes: TopologyInput = {
  lans: [
    { name: "home", nat: "easy" },
    { name: "flat", nat: "easy" },
  ],
  machines: [
    { name: "alice", lan: "home" },
    { name: "bob", lan: "flat" },
  ],
};

/**
 * alice and bob behind two easy NATs, hugo behind a hard one, olga where UDP is blocked, carol with a public address. printer is on alice's LAN;
 * dora has a public address too.
 */
export const demoNetworks: TopologyInput = {
  lans: [
    { name: "home", nat: "easy" },
    { name: "flat", nat: "easy" },
    { name: "hotel", nat: "hard" },
    { name: "office", nat: "blocked" },
  ],
  machines: [
    { name: "alice", lan: "home" },
    { name: "bob", lan: "flat" },
    { name: "hugo", lan: "hotel" },
    { name: "olga", lan: "office" },
    { name: "carol" },
    { name: "printer", lan: "home" },
    { name: "dora" },
  ],
};
