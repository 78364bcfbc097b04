import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import { useList } from "../../api/use-api.ts";

/** Names of machines and meshes that are still there, by their ids: events tell a name only where it is new or goes. */
export function useSubjectNames(): ReadonlyMap<string, string> {
  const machines = useList(listMachines, {});
  const meshes = useList(listMeshes, {});
  return new Map(
    [...(machines.data ?? []), ...(meshes.data ?? [])].map(({ id, name }) => [id as string, name as string]),
  );
}
