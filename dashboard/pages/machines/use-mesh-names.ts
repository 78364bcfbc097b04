import { useMemo } from "react";
import { getMachine } from "#schema/api/machines";
import { useReply } from "../../api/use-api.ts";

/** The names of the meshes that a machine is in, by their ids. */
export function useMeshNames(machineId: string): ReadonlyMap<string, string> {
  const machine = useReply(getMachine, { params: { machineId } });
  const meshes = machine.data?.meshes;
  return useMemo(() => new Map((meshes ?? []).map(({ meshId, meshName }) => [meshId, meshName])), [meshes]);
}
