// Brings the system to what it should be, and keeps it there.
import type { MeshId } from "#schema/ids";
import type { DesiredDevice } from "./desired-device.ts";
import type { ObservedState } from "./observed-state.ts";
import type { ReconcilerState } from "./reconciler-state.ts";

export interface Reconciler {
  /**
   * The interfaces that there should be; all other interfaces of ours go away. Not to be called before that is known.
   * @param options.keep meshes that this machine is in, whose desired state is not known (yet): their interfaces are left as they are
   */
  setDesired(devices: readonly DesiredDevice[], options?: { readonly keep?: readonly MeshId[] }): void;
  /** Resolves when what was desired at the time of the call, or something newer, has been done or has failed once. */
  whenSettled(): Promise<void>;
  state(): ReconcilerState;
  /** What the system is like; at most a second old, however many ask. */
  observe(): Promise<ObservedState>;
  /** Removes every interface of ours. Rejects when one could not be removed. */
  removeEverything(): Promise<void>;
  /** Stops working; leaves the system as it is. Resolves when nothing runs any more. */
  stop(): Promise<void>;
}
