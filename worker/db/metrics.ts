// What a scrape reads of D1, in one round trip.
import { asc, sql } from "drizzle-orm";
import type { MachineId } from "#schema/ids";
import type { Database } from "./database.ts";
import { type MeshRecord, selectMeshes } from "./meshes.ts";
import { machines, memberships, meshes } from "./tables.ts";

export interface StoredMetrics {
  readonly meshes: readonly MeshRecord[];
  readonly machineCount: number;
  /** Those in no mesh. */
  readonly unassignedCount: number;
  readonly machines: readonly MeasuredMachine[];
}
export interface MeasuredMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly isGateway: boolean;
  readonly agentVersion: string | null;
  readonly isInMesh: boolean;
}

/** @param maxMachines counted are all, listed the first so many */
export async function readStoredMetrics(db: Database, maxMachines: number): Promise<StoredMetrics> {
  const isInMesh = sql<number>`exists (select 1 from ${memberships} where ${memberships.machineId} = ${machines.id})`;
  const [meshRows, [counts], machineRows] = await db.batch([
    selectMeshes(db).orderBy(asc(meshes.id)),
    db
      .select({ all: sql<number>`count(*)`, unassigned: sql<number>`coalesce(sum(not ${isInMesh}), 0)` })
      .from(machines),
    db
      .select({
        id: machines.id,
        name: machines.name,
        isGateway: machines.isGateway,
        agentVersion: sql<string | null>`${machines.agent} ->> 'agentVersion'`,
        isInMesh,
      })
      .from(machines)
      .orderBy(asc(machines.id))
      .limit(maxMachines),
  ]);
  return {
    meshes: meshRows,
    machineCount: counts?.all ?? 0,
    unassignedCount: counts?.unassigned ?? 0,
    machines: machineRows.map((row) => ({ ...row, isInMesh: row.isInMesh === 1 })),
  };
}
