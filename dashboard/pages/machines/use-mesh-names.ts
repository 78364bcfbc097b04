import { getMachine } from "#schema/api/machines";
import { useReply } from "../../api/use-api.ts";

/** The names of the meshes that a machine is in, by their ids. */
export function useMeshNames(machineId: string): ReadonlyMap<string, string> {
  const machine = useReply(getMachine, { params: { machineId } });
  return new Map((machine.data?.meshes ?? []).map(({ meshId, meshName }) => [meshId, meshName]));
}
