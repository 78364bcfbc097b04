// The rows of the list of meshes: found, and in order.
import { parseIpv4Cidr } from "#schema/address";
import type { Mesh } from "#schema/mesh";
import { parseSorting } from "../../components/table/columns.ts";
import type { MeshHealth } from "./mesh-health-model.ts";

export interface MeshRow {
  readonly mesh: Mesh;
  readonly health: MeshHealth;
}

export const DEFAULT_MESH_SORT = "name";

const KEYS: Readonly<Record<string, (row: MeshRow) => string | number>> = {
  name: ({ mesh }) => mesh.name,
  cidr: ({ mesh }) => parseIpv4Cidr(mesh.cidr)?.first ?? 0,
  machines: ({ mesh }) => mesh.memberCount,
  free: ({ mesh }) => mesh.availableAddressCount,
};

export function toMeshRows(
  meshes: readonly Mesh[],
  healths: readonly MeshHealth[],
  { q = "", sort = DEFAULT_MESH_SORT }: { q?: string; sort?: string },
): MeshRow[] {
  const byId = new Map(healths.map((health) => [health.meshId, health]));
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = meshes.flatMap((mesh) => {
    const health = byId.get(mesh.id);
    const text = `${mesh.name} ${mesh.cidr} ${mesh.cidr6}`.toLowerCase();
    return health !== undefined && words.every((word) => text.includes(word)) ? [{ mesh, health }] : [];
  });
  return sortRows(rows, sort);
}

function sortRows(rows: readonly MeshRow[], sort: string): MeshRow[] {
  const { columnId, isDescending } = parseSorting(sort);
  const key = KEYS[columnId] ?? KEYS.name;
  if (key === undefined) return [...rows];
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    const order =
      typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right));
    return sign * order || a.mesh.name.localeCompare(b.mesh.name);
  });
}
