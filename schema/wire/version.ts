// The wire between agents and objects has one integer version. A behaviour that depends on it is a boolean named for the behaviour, derived here.
//
// 1  2026-11-23  first version: hello, snapshot, changes, applied, heartbeat; doorbell of the Machine object

export const WIRE_VERSION = 1;
/** Older agents are told to upgrade (close code 4426). */
export const OLDEST_WIRE_VERSION = 1;

/** Whether this control plane speaks the version that an agent says hello with. */
export const isWireVersionSupported = (version: number): boolean =>
  version >= OLDEST_WIRE_VERSION && version <= WIRE_VERSION;
