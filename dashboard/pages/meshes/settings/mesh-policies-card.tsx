import { getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { useChange } from "../../../api/use-api.ts";
import { useToast } from "../../../components/toast.tsx";
import { PoliciesCard, type PolicyChoice } from "../../policy-sets/policies-card.tsx";

const WORDS = {
  import: { hint: "What comes in from other meshes, at this mesh's gateways.", none: "None: private networks come in" },
  export: { hint: "What of it goes to other meshes, at this mesh's gateways.", none: "None: all of it goes out" },
};

interface MeshPoliciesCardProps {
  readonly mesh: Mesh;
  readonly canChange: boolean;
}

export function MeshPoliciesCard({ mesh, canChange }: MeshPoliciesCardProps) {
  const update = useChange(updateMesh, [getMesh.id, listMeshes.id]);
  const toast = useToast();
  const save = (body: PolicyChoice, onSaved: () => void) => {
    const onSuccess = () => {
      onSaved();
      toast("Policies saved");
    };
    update.mutate({ params: { meshId: mesh.id }, body }, { onSuccess });
  };
  return (
    <PoliciesCard
      chosen={mesh}
      words={WORDS}
      canChange={canChange}
      isBusy={update.isPending}
      error={update.error}
      onSave={save}
    />
  );
}
