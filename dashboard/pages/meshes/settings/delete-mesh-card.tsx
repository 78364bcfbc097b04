import { useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { listMachines } from "#schema/api/machines";
import { deleteMesh, listMeshes } from "#schema/api/meshes";
import { listRoutes } from "#schema/api/routes";
import { listVips } from "#schema/api/vips";
import type { Mesh } from "#schema/mesh";
import { useCan } from "../../../api/session.ts";
import { useChange, useList } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/confirm-dialog.tsx";
import { Card } from "../../../components/layout.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError } from "../../query-view.tsx";
import { toDeletionConsequences } from "./deletion-model.ts";

export function DeleteMeshCard({ mesh }: { readonly mesh: Mesh }) {
  const params = { meshId: mesh.id };
  const routes = useList(listRoutes, { params });
  const vips = useList(listVips, { params });
  const remove = useChange(deleteMesh, [listMeshes.id, listMachines.id]);
  const navigate = useNavigate();
  const toast = useToast();
  const [isOpen, setOpen] = useState(false);
  if (!useCan(deleteMesh)) return null;
  const confirm = async () => {
    const query = mesh.memberCount > 0 ? { force: "true" } : {};
    const done = await remove.mutateAsync({ params, query }).then(
      () => true,
      () => false,
    );
    if (!done) return;
    toast(`${mesh.name} is deleted`);
    await navigate({ to: "/meshes" });
  };
  const consequences = toDeletionConsequences(mesh, { routes: routes.data, vips: vips.data });
  return (
    <Card title="Delete this mesh">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted">Its machines leave it; they stay enrolled.</p>
        <Button look="danger" onClick={() => setOpen(true)}>
          <Trash2 aria-hidden /> Delete mesh
        </Button>
      </div>
      <ConfirmDialog
        title={`Delete ${mesh.name}?`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        name={mesh.name}
        verb="Delete mesh"
        isBusy={remove.isPending}
        onConfirm={() => void confirm()}
      >
        <ul className="list-disc space-y-1 pl-5">
          {consequences.map((consequence) => (
            <li key={consequence}>{consequence}</li>
          ))}
        </ul>
        <FormError error={remove.error} />
      </ConfirmDialog>
    </Card>
  );
}
