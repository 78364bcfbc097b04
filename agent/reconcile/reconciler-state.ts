// How far the system is what it should be, for each mesh.
import type { MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";

export interface ReconcilerState {
  /** Every mesh that is desired, and those that could not be removed yet. */
  readonly meshes: ReadonlyMap<MeshId, MeshState>;
}

export interface MeshState {
  /** What could not be done, since when; empty when all is as it should be. */
  readonly failures: readonly StepFailure[];
  /** When all was last seen to be, or was made, as it should be; null: not yet. Milliseconds since the epoch. */
  readonly appliedAtMs: number | null;
  /** When its interface was made, or got addresses, last; null: not by this agent. Milliseconds since the epoch. */
  readonly linkedAtMs: number | null;
  /** WireGuard has the peers, whatever else failed. */
  readonly arePeersApplied: boolean;
}
