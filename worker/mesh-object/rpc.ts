// What the Mesh object offers to the Worker and to Machine objects. All calls are idempotent, so a caller that lost the answer repeats the call.
import type { Ipv4, Ipv6 } from "#schema/address";
import type { MeshSettings } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { Member } from "#schema/machine";
import type { Result } from "#schema/result";
import type { Cause } from "../outbox/cause.ts";

export interface MeshObjectRpc {
  /** Makes the mesh; the same settings again change nothing. */
  initialise(settings: MeshSettings): Promise<void>;
  rename(name: string): Promise<Result<null, { code: "mesh_not_found" }>>;
  /** Adding a member again answers what it has. Durable (and in the outbox, with its audit event) when answered. */
  addMember(request: AddMemberRequest): Promise<Result<AddedMember, AddMemberError>>;
  /** `value` is false when it was no member. Its socket is closed and every connected member is told at once. */
  removeMember(machineId: MachineId, cause: Cause): Promise<Result<boolean, { code: "mesh_not_found" }>>;
  renameMember(machineId: MachineId, name: string): Promise<void>;
  /** Members in order of their machine ids, after `after`. */
  listMembers(page: { after: MachineId | null; limit: number }): Promise<Result<Member[], { code: "mesh_not_found" }>>;
  getMember(machineId: MachineId): Promise<Result<Member, { code: "mesh_not_found" | "member_not_found" }>>;
  /** When each of these members was last seen, milliseconds since the epoch; left out when never. One call per mesh and list page. */
  readPresence(machineIds: readonly MachineId[]): Promise<Record<MachineId, number>>;
  /** Closes the mesh: members are told `mesh_deleted`, Machine objects are told through the outbox, storage goes when that is done. */
  close(): Promise<{ memberCount: number }>;
  /** WebSocket upgrade, long-poll GET, message POST of an authenticated machine (see TRUSTED_HEADERS). */
  fetch(request: Request): Promise<Response>;
}

export interface AddMemberRequest {
  readonly machineId: MachineId;
  readonly name: string;
  readonly address: Ipv4 | null;
  readonly cause: Cause;
}
export interface AddedMember {
  readonly meshId: MeshId;
  readonly meshName: string;
  readonly address: Ipv4;
  readonly address6: Ipv6;
  /** False when it was a member already. */
  readonly isNew: boolean;
}
export type AddMemberError = {
  readonly code: "mesh_not_found" | "address_taken" | "address_outside_mesh" | "address_pool_exhausted";
};
