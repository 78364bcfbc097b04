import { Unlink } from "lucide-react";
import { useState } from "react";
import { getMachine, listMachines } from "#schema/api/machines";
import { listMembers, removeMember } from "#schema/api/members";
import { getMesh, listMeshes } from "#schema/api/meshes";
import { useCan } from "../../../api/session.ts";
import { useChange } from "../../../api/use-api.ts";
import { IconButton } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/confirm-dialog.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError } from "../../query-view.tsx";

interface RemoveMemberButtonProps {
  readonly meshId: string;
  readonly machineId: string;
  readonly name: string;
  readonly meshName?: string;
}

const MAKES_OLD = [listMembers.id, listMachines.id, getMachine.id, listMeshes.id, getMesh.id];

export function RemoveMemberButton({ meshId, machineId, name, meshName = "this mesh" }: RemoveMemberButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const remove = useChange(removeMember, MAKES_OLD);
  const toast = useToast();
  if (!useCan(removeMember)) return null;
  const confirm = () =>
    remove.mutate(
      { params: { meshId, machineId } },
      {
        onSuccess() {
          toast(`${name} left ${meshName}`);
          setOpen(false);
        },
      },
    );
  return (
    <>
      <IconButton label={`Take ${name} out of ${meshName}`} className="relative z-10" onClick={() => setOpen(true)}>
        <Unlink aria-hidden />
      </IconButton>
      <ConfirmDialog
        title={`Take ${name} out of ${meshName}?`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        verb="Take it out"
        isBusy={remove.isPending}
        onConfirm={confirm}
      >
        <p>
          It stops reaching the other machines at once, and no longer announces its routes and VIPs. Its address stays
          unused for 24 hours; coming back, it may get another one.
        </p>
        <FormError error={remove.error} />
      </ConfirmDialog>
    </>
  );
}
