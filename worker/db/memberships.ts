import { and, asc, eq, inArray, ne, type SQL, sql } from "drizzle-orm";
import type { Ipv4, Ipv6 } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";
import type { Database, Statement } from "./database.ts";
import { machines, memberships, meshes } from "./tables.ts";

/** A machine's place in a mesh, as lists show it. It may lag the Mesh object's truth by an outbox delivery. */
export interface ListedMembership {
  readonly machineId: MachineId;
  readonly meshId: MeshId;
  readonly meshName: string;
  readonly address: Ipv4;
  readonly address6: Ipv6;
}

export const listMembershipsOf = (db: Database, machineId: MachineId): Promise<ListedMembership[]> =>
  selectMemberships(db, eq(memberships.machineId, machineId));

/** In order of machine and mesh. For batches too. */
export const selectMemberships = (db: Database, condition: SQL | undefined) =>
  db
    .select({
      machineId: memberships.machineId,
      meshId: memberships.meshId,
      meshName: meshes.name,
      address: memberships.address,
      address6: memberships.address6,
    })
    .from(memberships)
    .innerJoin(meshes, eq(meshes.id, memberships.meshId))
    .where(condition)
    .orderBy(asc(memberships.machineId), asc(memberships.meshId));

/** The networks of the other meshes that these machines are in. */
export const listOtherNetworks = (db: Database, meshId: MeshId, machineIds: readonly MachineId[]) =>
  db
    .select({ machineId: memberships.machineId, meshName: meshes.name, cidr: meshes.cidr, cidr6: meshes.cidr6 })
    .from(memberships)
    .innerJoin(meshes, eq(meshes.id, memberships.meshId))
    .where(and(inArray(memberships.machineId, [...machineIds]), ne(memberships.meshId, meshId)));

/** Those of the meshes that have a member in common with this one. */
export async function listMeshesWithMembersOf(
  db: Database,
  meshId: MeshId,
  others: readonly MeshId[],
): Promise<MeshId[]> {
  const rows = await db
    .select({ id: meshes.id })
    .from(meshes)
    .where(
      sql`${meshes.id} in (select value from json_each(${JSON.stringify(others)})) and exists (
        select 1 from memberships as here join memberships as there on there.machine_id = here.machine_id
        where here.mesh_id = ${meshId} and there.mesh_id = ${meshes.id})`,
    );
  return rows.map(({ id }) => id);
}

/** Where gateways are, all of them: they are few, as meshes are. */
export const listGatewayPlaces = (db: Database) =>
  db
    .select({ machineId: memberships.machineId, meshId: memberships.meshId })
    .from(machines)
    .innerJoin(memberships, eq(memberships.machineId, machines.id))
    // A parameter would keep SQLite from taking the index of gateways.
    .where(sql`${machines.isGateway} = 1`);

export const deleteMembershipsOfMachine = (db: Database, machineId: MachineId): Statement =>
  db.delete(memberships).where(eq(memberships.machineId, machineId));

export const deleteMembershipsOfMesh = (db: Database, meshId: MeshId): Statement =>
  db.delete(memberships).where(eq(memberships.meshId, meshId));
