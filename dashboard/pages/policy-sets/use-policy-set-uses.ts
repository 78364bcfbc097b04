import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import { useList } from "../../api/use-api.ts";
import { type PolicySetUse, toPolicySetUses } from "./policy-use-model.ts";

/** Who uses a set; undefined while that is not known. */
export function usePolicySetUses(): (policySetId: string) => readonly PolicySetUse[] | undefined {
  const meshes = useList(listMeshes, {});
  const machines = useList(listMachines, {});
  return (policySetId) =>
    meshes.data && machines.data ? toPolicySetUses(policySetId, meshes.data, machines.data) : undefined;
}
