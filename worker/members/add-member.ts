import type { AddMember } from "#schema/api/members";
import type { MeshId } from "#schema/ids";
import type { Member } from "#schema/machine";
import { err, type Result } from "#schema/result";
import { findMachine } from "../db/machines.ts";
import { listMembershipsOf } from "../db/memberships.ts";
import { findMesh } from "../db/meshes.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import { findGatewayOverlap } from "../gateways/find-gateway-overlap.ts";
import type { JoinMeshError } from "../machine-object/rpc.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { findAnnouncedOverlap } from "./find-announced-overlap.ts";

type AddMemberFailure = Failure<
  | "mesh_not_found"
  | "machine_not_found"
  | "already_member"
  | "cidr_overlap"
  | "address_taken"
  | "address_outside_mesh"
  | "address_pool_exhausted"
>;

export async function addMember(
  services: Services,
  { meshId, request, cause }: { meshId: MeshId; request: AddMember; cause: Cause },
): Promise<Result<Member, AddMemberFailure>> {
  const { db, objects } = services;
  const { machineId, address = null } = request;
  const [mesh, machine] = await Promise.all([findMesh(db, meshId), findMachine(db, machineId)]);
  if (mesh === null) return err({ code: "mesh_not_found" });
  if (machine === null) return err({ code: "machine_not_found" });
  const overlap = await findAnnouncedOverlap(services, machineId, mesh);
  if (overlap !== null) return err(overlap);
  if (machine.isGateway) {
    const meshIds = [...(await listMembershipsOf(db, machineId)).map((place) => place.meshId), meshId];
    const connected = await findGatewayOverlap(services, { machineId, meshIds });
    if (connected !== null) return err(connected);
  }
  const joined = await objects.machine(machineId).joinMesh({ meshId, cidr: mesh.cidr, address, cause });
  if (!joined.ok) return err(toFailure(joined.error, request));
  if (!joined.value.isNew) return err({ code: "already_member" });
  const member = await objects.mesh(meshId).getMember(machineId);
  if (member.ok) return member;
  if (member.error.code === "mesh_not_found") return err({ code: "mesh_not_found" });
  return err({ code: "machine_not_found", detail: "the machine was taken out again at the same moment" });
}

function toFailure(error: JoinMeshError, { address }: AddMember): AddMemberFailure {
  switch (error.code) {
    case "cidr_overlap":
      return { code: "cidr_overlap", detail: `the machine is in the mesh ${error.meshId}, whose network overlaps` };
    case "address_taken":
      return fieldFailure("address_taken", "address", `${address} is taken or reserved`);
    case "address_outside_mesh":
      return fieldFailure("address_outside_mesh", "address", `${address} is no host address of the mesh's network`);
    case "machine_removed":
      return { code: "machine_not_found" };
    default:
      return { code: error.code };
  }
}
