import { getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { useForm } from "../../form/use-form.ts";
import { PoliciesCard } from "../../policy-sets/policies-card.tsx";

const WORDS = {
  import: { hint: "What comes in from other meshes, at this mesh's gateways.", none: "None: private networks come in" },
  export: { hint: "What of it goes to other meshes, at this mesh's gateways.", none: "None: all of it goes out" },
};

interface MeshPoliciesCardProps {
  readonly mesh: Mesh;
  readonly canChange: boolean;
}

export function MeshPoliciesCard({ mesh, canChange }: MeshPoliciesCardProps) {
  const form = useForm(updateMesh, [getMesh.id, listMeshes.id], { toWords: () => "Policies saved" });
  return (
    <PoliciesCard
      chosen={mesh}
      words={WORDS}
      canChange={canChange}
      form={form}
      onSave={(body) => form.send({ params: { meshId: mesh.id }, body })}
    />
  );
}
