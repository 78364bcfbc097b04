// How many of a mesh's machines are online, and whether that is well.
import type { Machine } from "#schema/machine";
import type { Mesh } from "#schema/mesh";
import type { Tone } from "../../components/badge.tsx";

export interface MeshHealth {
  readonly meshId: string;
  readonly name: string;
  readonly online: number;
  readonly total: number;
  readonly tone: Tone;
  /** In a sentence. */
  readonly label: string;
}

export function toMeshHealths(meshes: readonly Mesh[], machines: readonly Machine[]): MeshHealth[] {
  const counts = new Map<string, { online: number; total: number }>();
  for (const { online, meshes: memberships } of machines) {
    for (const { meshId } of memberships) {
      const count = counts.get(meshId) ?? { online: 0, total: 0 };
      counts.set(meshId, { online: count.online + (online ? 1 : 0), total: count.total + 1 });
    }
  }
  return meshes.map(({ id, name }) => {
    const { online, total } = counts.get(id) ?? { online: 0, total: 0 };
    return { meshId: id, name, online, total, ...judge(online, total) };
  });
}

function judge(online: number, total: number): Pick<MeshHealth, "tone" | "label"> {
  if (total === 0) return { tone: "neutral", label: "No machines yet" };
  if (online === total)
    return { tone: "good", label: total === 1 ? "The machine is online" : `All ${total} machines are online` };
  if (online === 0) return { tone: "bad", label: "No machine is online" };
  return { tone: "warn", label: `${total - online} of ${total} machines offline` };
}
