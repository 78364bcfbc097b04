// Meshes that gateways connect must not overlap: the same addresses would mean two machines. D1 says who is where, and may lag a join by an outbox
// delivery, so of two changes at once both can slip through. What it then does is bounded: a mesh takes nothing from outside that is in its
// own networks, so both go on by themselves, and who is in neither of the two reaches one of them.
import type { MachineId, MeshId } from "#schema/ids";
import type { Warning } from "#schema/mesh";
import { isDefaultRoute, isPrefixOverlapping, type Prefix } from "#schema/prefix";
import { listGatewayPlaces, listMeshesWithMembersOf } from "../db/memberships.ts";
import { listAllMeshes } from "../db/meshes.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";
import { findOverlap, toConnected } from "./connected-meshes.ts";

/** @param gateway with the meshes that it would be in */
export async function findGatewayOverlap(
  { db }: Pick<Services, "db">,
  gateway: { readonly machineId: MachineId; readonly meshIds: readonly MeshId[] },
): Promise<Failure<"cidr_overlap"> | null> {
  if (gateway.meshIds.length < 2) return null;
  const [meshes, places] = await Promise.all([listAllMeshes(db), listGatewayPlaces(db)]);
  const overlap = findOverlap(meshes, places, gateway);
  if (overlap === null) return null;
  const [one, other] = overlap.map(({ name, cidr }) => `${name} (${cidr})`);
  const detail = `as a gateway it would connect the meshes ${one} and ${other}, whose networks overlap: take it out of a mesh, or another gateway that connects them`;
  return { code: "cidr_overlap", detail };
}

/**
 * Prefixes announced in this mesh that are of another mesh's own networks: one that gateways connect with it does not take them, and neither does a
 * machine that is in both.
 */
export async function warnOfOtherMeshes(
  { db }: Pick<Services, "db">,
  { meshId, prefixes }: { readonly meshId: MeshId; readonly prefixes: readonly Prefix[] },
): Promise<Warning[]> {
  const overlaps = (await listAllMeshes(db)).flatMap(({ id, name, cidr, cidr6 }) =>
    prefixes.flatMap((prefix) => {
      const network = [cidr, cidr6].find((own) => isPrefixOverlapping(prefix, own));
      return id === meshId || network === undefined || isDefaultRoute(prefix) ? [] : [{ id, name, prefix, network }];
    }),
  );
  if (overlaps.length === 0) return [];
  const connected = toConnected(await listGatewayPlaces(db), meshId);
  const shared = new Set(await listMeshesWithMembersOf(db, meshId, [...new Set(overlaps.map(({ id }) => id))]));
  return overlaps.flatMap(({ id, name, prefix, network }): Warning[] => {
    const why = connected.has(id)
      ? "which gateways connect with this one: its members keep to their own network"
      : "which machines of this mesh are in: they keep to that mesh's own network";
    if (!connected.has(id) && !shared.has(id)) return [];
    return [{ code: "cidr_overlap", meshId: id, message: `${prefix} overlaps ${network} of the mesh ${name}, ${why}` }];
  });
}
