import { useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { listMachines } from "#schema/api/machines";
import { deleteMesh, listMeshes } from "#schema/api/meshes";
import { listRoutes } from "#schema/api/routes";
import { listVips } from "#schema/api/vips";
import type { Mesh } from "#schema/mesh";
import { useCan } from "../../../api/session.ts";
import { useList } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { Card } from "../../../components/layout.tsx";
import { ConfirmChange } from "../../form/form-dialog.tsx";
import { toDeletionConsequences } from "./deletion-model.ts";

export function DeleteMeshCard({ mesh }: { readonly mesh: Mesh }) {
  const params = { meshId: mesh.id };
  const routes = useList(listRoutes, { params });
  const vips = useList(listVips, { params });
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  if (!useCan(deleteMesh)) return null;
  const consequences = toDeletionConsequences(mesh, { routes: routes.data, vips: vips.data });
  return (
    <Card title="Delete this mesh">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted">Its machines leave it; they stay enrolled.</p>
        <Button look="danger" onClick={() => setOpen(true)}>
          <Trash2 aria-hidden /> Delete mesh
        </Button>
      </div>
      {isOpen && (
        <ConfirmChange
          operation={deleteMesh}
          input={{ params, query: mesh.memberCount > 0 ? { force: "true" } : {} }}
          makesOld={[listMeshes.id, listMachines.id]}
          words={`${mesh.name} is deleted`}
          onDone={() => void navigate({ to: "/meshes" })}
          title={`Delete ${mesh.name}?`}
          name={mesh.name}
          verb="Delete mesh"
          onClose={() => setOpen(false)}
        >
          <ul className="list-disc space-y-1 pl-5">
            {consequences.map((consequence) => (
              <li key={consequence}>{consequence}</li>
            ))}
          </ul>
        </ConfirmChange>
      )}
    </Card>
  );
}
