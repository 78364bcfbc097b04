import { useNavigate } from "@tanstack/react-router";
import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { deleteMachine, listMachines, updateMachine } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import type { Machine } from "#schema/machine";
import { useCan } from "../../api/session.ts";
import { useChange } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { useToast } from "../../components/toast.tsx";
import { FormError } from "../query-view.tsx";
import { RenameMachineDialog } from "./rename-machine-dialog.tsx";

export function MachineActions({ machine }: { readonly machine: Machine }) {
  const [open, setOpen] = useState<"rename" | "remove" | null>(null);
  const canRename = useCan(updateMachine);
  const canRemove = useCan(deleteMachine);
  if (!canRename && !canRemove) return null;
  const close = () => setOpen(null);
  return (
    <>
      <Menu
        trigger={
          <Button aria-label={`Actions for ${machine.name}`}>
            Actions <Ellipsis aria-hidden />
          </Button>
        }
      >
        {canRename && (
          <MenuItem icon={<Pencil aria-hidden />} onSelect={() => setOpen("rename")}>
            Rename
          </MenuItem>
        )}
        {canRemove && (
          <MenuItem icon={<Trash2 aria-hidden />} isDangerous onSelect={() => setOpen("remove")}>
            Remove
          </MenuItem>
        )}
      </Menu>
      <RenameMachineDialog machine={machine} isOpen={open === "rename"} onClose={close} />
      <RemoveMachineDialog machine={machine} isOpen={open === "remove"} onClose={close} />
    </>
  );
}

interface MachineDialogProps {
  readonly machine: Machine;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

function RemoveMachineDialog({ machine, isOpen, onClose }: MachineDialogProps) {
  const remove = useChange(deleteMachine, [listMachines.id, listMeshes.id]);
  const navigate = useNavigate();
  const toast = useToast();
  const confirm = async () => {
    const params = { machineId: machine.id };
    const done = await remove.mutateAsync({ params }).then(
      () => true,
      () => false,
    );
    if (!done) return;
    toast(`${machine.name} is removed`);
    await navigate({ to: "/machines" });
  };
  return (
    <ConfirmDialog
      title={`Remove ${machine.name}?`}
      isOpen={isOpen}
      onClose={onClose}
      name={machine.name}
      verb="Remove machine"
      isBusy={remove.isPending}
      onConfirm={() => void confirm()}
    >
      <ul className="list-disc space-y-1 pl-5">
        {machine.meshes.map(({ meshId, meshName, address }) => (
          <li key={meshId}>
            It leaves {meshName}, and {address} is free again after 24 hours.
          </li>
        ))}
        <li>The others drop its keys at once.</li>
        <li>Its identity is never taken again: to come back it has to enrol anew, with a join token.</li>
      </ul>
      <FormError error={remove.error} />
    </ConfirmDialog>
  );
}
