// From BIRD's protocols to what is said of sessions with members. Pure.
import { type BgpSession, type BgpState, NO_SESSION } from "#schema/bgp";
import { MachineId } from "#schema/ids";
import type { BirdChannel, BirdProtocol, BgpState as BirdState } from "../../bird/parse-protocols.ts";

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

export interface RouteCounts {
  readonly received: number;
  /** Refused by the import filter. */
  readonly filtered: number;
}

/** Only those with members: a gateway's links to its own other meshes are protocols too, with other names. */
export const toBgpSessions = (protocols: readonly BirdProtocol[]): BgpSessions =>
  new Map(
    listMembers(protocols).map(([machineId, { session, sinceMs }]) => {
      const { state, lastError } = session;
      return [machineId, { state: STATES[state], since: new Date(sinceMs).toISOString(), lastError }];
    }),
  );

/** Of both families together. */
export const toRouteCounts = (protocols: readonly BirdProtocol[]): ReadonlyMap<MachineId, RouteCounts> =>
  new Map(
    listMembers(protocols).map(([machineId, { channels }]) => {
      const sum = (count: (channel: BirdChannel) => number) => channels.reduce((all, one) => all + count(one), 0);
      return [
        machineId,
        { received: sum(({ importedCount }) => importedCount), filtered: sum(({ filteredCount }) => filteredCount) },
      ];
    }),
  );

type WithSession = BirdProtocol & { readonly session: NonNullable<BirdProtocol["session"]> };

const listMembers = (protocols: readonly BirdProtocol[]): [MachineId, WithSession][] =>
  protocols.flatMap((protocol): [MachineId, WithSession][] => {
    const { session, name } = protocol;
    const machineId = MachineId.safeParse(name);
    return session === null || !machineId.success ? [] : [[machineId.data, { ...protocol, session }]];
  });

export const sessionWith = (sessions: BgpSessions | null, machineId: MachineId): BgpSession =>
  sessions?.get(machineId) ?? NO_SESSION;
