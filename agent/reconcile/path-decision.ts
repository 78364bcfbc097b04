// Where WireGuard has to send for a peer: what agent/paths decides and the reconciler carries out.
import type { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";

/** The same object until it is another decision. */
export interface PathDecision {
  /** Null: wait for the peer. */
  readonly endpoint: Endpoint | null;
  /** Another one than before: to be written, whatever WireGuard has. 0: what is there stays. */
  readonly version: number;
  readonly keepaliveSeconds: number;
  /** The gateway that forwards for the pair: its peer gets this peer's addresses. */
  readonly gatewayId: MachineId | null;
}
