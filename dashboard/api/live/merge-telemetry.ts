// What a machine told in one mesh, put into what is known of it in all its meshes. Pure.
import {
  explainMachinePeer,
  getMachineNetwork,
  listMachineEndpoints,
  listMachinePeers,
} from "#schema/api/machine-links";
import { listMachineAnnouncements } from "#schema/api/machine-routing";
import type { LiveTelemetry } from "#schema/live/messages";
import type { Question } from "./covered.ts";

interface OfMesh {
  readonly meshId: string;
}

/** The answer with what the frame says; the answer itself where it says nothing of it. */
export function mergeTelemetry(
  { operationId, peerId, onlyMeshId }: Pick<Question, "operationId" | "peerId" | "onlyMeshId">,
  answer: unknown,
  { meshId, frame }: { readonly meshId: string; readonly frame: LiveTelemetry },
): unknown {
  const list = answer as { readonly items: readonly OfMesh[] };
  const withItems = (items: readonly OfMesh[]) => ({ ...list, items: replaceOfMesh(list.items, meshId, items) });
  if (onlyMeshId !== null && onlyMeshId !== meshId) return answer;
  switch (operationId) {
    case listMachinePeers.id:
      return withItems(frame.peers);
    case listMachineEndpoints.id:
      return withItems(frame.endpoints);
    case listMachineAnnouncements.id:
      return withItems(frame.announcements);
    case explainMachinePeer.id: {
      const explained = frame.explanations.filter(({ machineId }) => machineId === peerId);
      return explained.length === 0 ? answer : withItems(explained);
    }
    case getMachineNetwork.id:
      return frame.nat === null ? answer : { report: frame.nat };
    default:
      return answer;
  }
}

/** In the place of those that were there, so that nothing jumps about. */
function replaceOfMesh(items: readonly OfMesh[], meshId: string, replacements: readonly OfMesh[]): readonly OfMesh[] {
  const at = items.findIndex((item) => item.meshId === meshId);
  if (at === -1) return [...items, ...replacements];
  const isOther = (item: OfMesh) => item.meshId !== meshId;
  return [...items.slice(0, at), ...replacements, ...items.slice(at).filter(isOther)];
}
