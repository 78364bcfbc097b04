// From BIRD's protocols to what is said of sessions with members. Pure.
import { type BgpSession, type BgpState, NO_SESSION } from "#schema/bgp";
import { MachineId } from "#schema/ids";
import type { BirdProtocol, BgpState as BirdState } from "../../bird/parse-protocols.ts";

const STATES: Readonly<Record<BirdState, BgpState>> = {
  Idle: "idle",
  Connect: "connect",
  Active: "active",
  OpenSent: "open_sent",
  OpenConfirm: "open_confirm",
  Established: "established",
  Close: "idle",
  Down: "idle",
  // Waits to be called.
  Passive: "active",
};

export type BgpSessions = ReadonlyMap<MachineId, BgpSession>;

/** Only those with members: a gateway's links to its own other meshes are protocols too, with other names. */
export function toBgpSessions(protocols: readonly BirdProtocol[]): BgpSessions {
  return new Map(
    protocols.flatMap(({ name, session, sinceMs }): [MachineId, BgpSession][] => {
      const machineId = MachineId.safeParse(name);
      if (session === null || !machineId.success) return [];
      const { state, lastError } = session;
      return [[machineId.data, { state: STATES[state], since: new Date(sinceMs).toISOString(), lastError }]];
    }),
  );
}

export const sessionWith = (sessions: BgpSessions | null, machineId: MachineId): BgpSession =>
  sessions?.get(machineId) ?? NO_SESSION;
