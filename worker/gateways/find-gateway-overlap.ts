// Meshes that gateways connect must not overlap: the same addresses would mean two machines. D1 says who is where, and may lag a join by an outbox
// delivery, so of two changes at once both can slip through. What it then does is bounded: a mesh takes nothing from outside that is in its
// own networks, so both go on by themselves, and who is in neither of the two reaches one of them.
import type { MachineId, MeshId } from "#schema/ids";
import type { Warning } from "#schema/mesh";
import { isDefaultRoute, isPrefixOverlapping, type Prefix } from "#schema/prefix";
import { listGatewayPlaces } from "../db/memberships.ts";
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

/** Prefixes announced in this mesh that another mesh has itself, which gateways connect with it: that one does not take them. */
export async function warnOfConnectedMeshes(
  { db }: Pick<Services, "db">,
  { meshId, prefixes }: { readonly meshId: MeshId; readonly prefixes: readonly Prefix[] },
): Promise<Warning[]> {
  const connected = toConnected(await listGatewayPlaces(db), meshId);
  if (connected.size < 2) return [];
  const others = (await listAllMeshes(db)).filter(({ id }) => id !== meshId && connected.has(id));
  return others.flatMap(({ id, name, cidr, cidr6 }) =>
    prefixes.flatMap((prefix): Warning[] => {
      const network = [cidr, cidr6].find((own) => isPrefixOverlapping(prefix, own));
      if (network === undefined || isDefaultRoute(prefix)) return [];
      const message = `${prefix} overlaps ${network} of the mesh ${name}, which gateways connect with this one: its members keep to their own network`;
      return [{ code: "cidr_overlap", meshId: id, message }];
    }),
  );
}
