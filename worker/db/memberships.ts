import { and, asc, eq, gte, lte } from "drizzle-orm";
import type { Ipv4, Ipv6 } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";
import type { Database, Statement } from "./database.ts";
import { memberships, meshes } from "./tables.ts";

/** A machine's place in a mesh, as lists show it. It may lag the Mesh object's truth by an outbox delivery. */
export interface ListedMembership {
  readonly machineId: MachineId;
  readonly meshId: MeshId;
  readonly meshName: string;
  readonly address: Ipv4;
  readonly address6: Ipv6;
}

/** Of all machines with ids from `first` to `last`, both included: a page of machines is such a range, and costs one query. */
export async function listMembershipsOf(
  db: Database,
  { first, last }: { readonly first: MachineId; readonly last: MachineId },
): Promise<ListedMembership[]> {
  return db
    .select({
      machineId: memberships.machineId,
      meshId: memberships.meshId,
      meshName: meshes.name,
      address: memberships.address,
      address6: memberships.address6,
    })
    .from(memberships)
    .innerJoin(meshes, eq(meshes.id, memberships.meshId))
    .where(and(gte(memberships.machineId, first), lte(memberships.machineId, last)))
    .orderBy(asc(memberships.machineId), asc(memberships.meshId));
}

export const deleteMembershipsOfMachine = (db: Database, machineId: MachineId): Statement =>
  db.delete(memberships).where(eq(memberships.machineId, machineId));

export const deleteMembershipsOfMesh = (db: Database, meshId: MeshId): Statement =>
  db.delete(memberships).where(eq(memberships.meshId, meshId));
