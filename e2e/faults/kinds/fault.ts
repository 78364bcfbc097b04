// What a fault is, and the fleet that it happens to.
import type { CreatedMesh } from "#schema/api/meshes";
import type { Fleet } from "../../fleet/fleet.ts";
import type { MeshAddress } from "../../fleet/reach.ts";
import type { Random } from "../random.ts";

/** Two machines by name; the first one pings. */
export type Pair = readonly [from: string, to: string];

export interface FaultFleet {
  readonly fleet: Fleet;
  readonly mesh: CreatedMesh;
  readonly addresses: ReadonlyMap<string, MeshAddress>;
  /** Starts a machine's agent, which has enrolled before. */
  up(machineName: string): Promise<void>;
  /** Moves the wall clock that the agent of a machine sees. */
  moveClock(machineName: string, byMs: number): void;
  /** D1 and the objects, as files. */
  readonly dataFolder: string;
}

export interface Fault {
  begin(): Promise<void>;
  /** For what is over in a moment: it happens again while the round lasts. */
  readonly again?: { readonly everyMs: number; run(): Promise<void> };
  end(): Promise<void>;
  /** Pings between these may be lost; between all others none may. */
  mayLose(pair: Pair): boolean;
  /** The longest silence between those, where packets find a way while it lasts. */
  readonly longestGapMs?: number;
  /** Error lines that are right while it lasts: something is broken, and a person has to know. */
  readonly expectedErrors?: readonly RegExp[];
}

export type MakeFault = (on: FaultFleet, random: Random) => Fault;

/** Whoever is not named is reached by everybody directly. */
export const MACHINES = ["alice", "hugo", "carol", "dora"] as const;
/** Behind an easy NAT. */
export const BEHIND_EASY_NAT = "alice";
/** UDP between their networks is blocked. */
export const RELAYED_PAIR: Pair = ["alice", "hugo"];
/** Its state is on a disk of its own, which can be filled. */
export const SMALL_DISK = "carol";
/** Announces the network, which is behind it. */
export const ANNOUNCER = "dora";
export const NETWORK = { prefix: "10.200.0.0/24", address: "10.200.0.1" } as const;

export const isRelayed = (pair: Pair): boolean => RELAYED_PAIR.every((name) => pair.includes(name));
export const nobody = (): boolean => false;
