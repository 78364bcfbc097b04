import type { MachineId } from "#schema/ids";
import { isDefaultRoute, isPrefixOverlapping } from "#schema/prefix";
import { listMembershipsOf } from "../db/memberships.ts";
import type { MeshRecord } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";

/**
 * A machine announces no network of a mesh that it is in: see find-foreign-overlap.ts for the other order. VIPs are of their mesh's own network: where
 * they overlap, the meshes do, which the Machine object says.
 */
export async function findAnnouncedOverlap(
  { db, objects }: Pick<Services, "db" | "objects">,
  machineId: MachineId,
  joined: Pick<MeshRecord, "id" | "cidr" | "cidr6">,
): Promise<Failure<"cidr_overlap"> | null> {
  const others = (await listMembershipsOf(db, machineId)).filter(({ meshId }) => meshId !== joined.id);
  const announced = await Promise.all(
    others.map(async ({ meshId, meshName }) => {
      const records = await objects.mesh(meshId).listAnnouncementsOf(machineId);
      return records.filter(({ kind }) => kind === "route").map((record) => ({ ...record, meshName }));
    }),
  );
  for (const { name, prefixes, meshName } of announced.flat()) {
    for (const prefix of prefixes.filter((one) => !isDefaultRoute(one))) {
      const network = [joined.cidr, joined.cidr6].find((own) => isPrefixOverlapping(prefix, own));
      if (network === undefined) continue;
      const detail = `in the mesh ${meshName} the machine announces ${prefix} (${name}), which overlaps ${network}: take it out there first`;
      return { code: "cidr_overlap", detail };
    }
  }
  return null;
}
