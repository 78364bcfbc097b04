// What the Machine object offers. It is the single writer of "which meshes is this machine in", so overlapping CIDRs are refused here.
import type { Ipv4 } from "#schema/address";
import type { IdentityPublicKey, MachineId, MeshId, RolloutId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import type { Result } from "#schema/result";
import type { AddedMember, AddMemberError } from "../mesh-object/rpc.ts";
import type { Cause } from "../outbox/cause.ts";
import type { TurnRequest, UpgradeTurn } from "./upgrades/upgrades.ts";

export interface MachineObjectRpc {
  /** Makes the machine known; the same again changes nothing (agent info is refreshed). Refused once it was removed. */
  register(registration: MachineRegistration): Promise<Result<null, { code: "machine_removed" }>>;
  /** Null when it was never registered, or was removed. The Worker's fallback when D1 fails. */
  readIdentityKey(): Promise<IdentityPublicKey | null>;
  /** D1 has it already. One that is older than what is known here changes nothing; the machine is told that its key is not due any more. */
  setIdentityKey(key: IdentityKeyChange): Promise<Result<null, { code: "machine_not_found" | "machine_removed" }>>;
  /** Reserves the CIDR here, adds the member there, rings the doorbell. Resumed by alarm when interrupted. */
  joinMesh(request: JoinMeshRequest): Promise<Result<AddedMember, JoinMeshError>>;
  /** `value` is false when it was not in that mesh. */
  leaveMesh(meshId: MeshId, cause: Cause): Promise<Result<boolean, { code: "machine_not_found" }>>;
  /** The mesh is gone: forget it, ring the doorbell. Called by the Mesh object. */
  forgetMesh(meshId: MeshId): Promise<void>;
  /** What is left out stays. Its meshes are told; a mesh that can't be is told by alarm. */
  update(change: MachineChange): Promise<void>;
  /**
   * Leaves every mesh, closes the socket, refuses the identity from here on: also one that is not registered yet, because its enrolment
   * may be under way. Safe to repeat.
   */
  remove(machine: Omit<MachineRegistration, "agent">, cause: Cause): Promise<void>;
  /**
   * Answers what is asked of it from then on; nothing changes when that, or more, was asked before. The machine is told at once, or when it
   * connects; the audit trail with it.
   */
  replaceKeys(order: KeyOrder, cause: Cause): Promise<Result<KeyOrder, { code: "machine_not_found" }>>;
  /** It is the machine's turn in a roll-out: whether it takes it. Safe to repeat. */
  takeUpgradeTurn(request: TurnRequest): Promise<UpgradeTurn>;
  /** There are more machines of the roll-out to be asked than one request may: it goes on from here, by alarm, whatever fails meanwhile. */
  continueRollout(rolloutId: RolloutId): Promise<void>;
  /** When it was last seen on this object's own socket or poll, milliseconds since the epoch; null when never. */
  readLastSeen(): Promise<number | null>;
  fetch(request: Request): Promise<Response>;
}

export interface MachineRegistration {
  readonly machineId: MachineId;
  readonly name: string;
  readonly identityKey: IdentityPublicKey;
  readonly agent: AgentInfo;
}
export interface IdentityKeyChange {
  readonly identityKey: IdentityPublicKey;
  readonly sinceMs: number;
}
/** Keys that were made before this are to be replaced; forced: whoever can't hear of it. */
export interface KeyOrder {
  readonly madeBeforeMs: number;
  readonly isForced: boolean;
}
export interface MachineChange {
  readonly name?: string;
  readonly isGateway?: boolean;
}
export interface JoinMeshRequest {
  readonly meshId: MeshId;
  readonly cidr: string;
  readonly address: Ipv4 | null;
  readonly cause: Cause;
}
export type JoinMeshError =
  | AddMemberError
  | { readonly code: "machine_not_found" | "machine_removed" }
  | { readonly code: "cidr_overlap"; readonly meshId: MeshId };
