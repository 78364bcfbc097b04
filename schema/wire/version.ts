// The wire between agents and objects has one integer version. A behaviour that depends on it is a boolean named for the behaviour, derived here.
//
// 1  2026-11-23  first version: hello, snapshot, changes, applied, heartbeat; doorbell of the Machine object
// 2  2026-11-25  NAT traversal: more endpoint types, a row's NAT, punch, relay, observed endpoints, link reports, telemetry, transit.
//                An agent of version 1 takes no row with a new endpoint type, so it is not served any more.
//                The same day: punches name no candidates, and transit is asked for by naming gateways. An agent from before leaves punches
//                unheard and gets no transit.
//    2026-11-26  Announcements and duties in snapshots and changes. An agent from before leaves them unread, and announces nothing.
//                Policies, of the mesh in its settings and the receiver's own beside its duties. An agent from before applies none.
//                Upgrades (machine.state's `upgrade`, upgrade.report). An agent from before tells no build and is ordered nothing.
//                What health checks say (checks.report). Of an agent from before nobody knows it but whoever asks that machine.

export const WIRE_VERSION = 2;
/** Older agents are told to upgrade (close code 4426). */
export const OLDEST_WIRE_VERSION = 2;

/** Whether this control plane speaks the version that an agent says hello with. */
export const isWireVersionSupported = (version: number): boolean =>
  version >= OLDEST_WIRE_VERSION && version <= WIRE_VERSION;
