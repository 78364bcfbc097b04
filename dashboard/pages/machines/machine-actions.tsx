import { useNavigate } from "@tanstack/react-router";
import { Ellipsis, KeyRound, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { deleteMachine, listMachines, rotateMachineKeys, updateMachine } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import type { Machine } from "#schema/machine";
import { useCan } from "../../api/session.ts";
import { Button } from "../../components/button.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { RenameMachineDialog } from "./rename-machine-dialog.tsx";
import { ReplaceKeysDialog } from "./replace-keys-dialog.tsx";

export function MachineActions({ machine }: { readonly machine: Machine }) {
  const [open, setOpen] = useState<"rename" | "keys" | "remove" | null>(null);
  const canRename = useCan(updateMachine);
  const canRotate = useCan(rotateMachineKeys);
  const canRemove = useCan(deleteMachine);
  if (!canRename && !canRotate && !canRemove) return null;
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
        {canRotate && (
          <MenuItem icon={<KeyRound aria-hidden />} onSelect={() => setOpen("keys")}>
            Replace keys
          </MenuItem>
        )}
        {canRemove && (
          <MenuItem icon={<Trash2 aria-hidden />} isDangerous onSelect={() => setOpen("remove")}>
            Remove
          </MenuItem>
        )}
      </Menu>
      {open === "rename" && <RenameMachineDialog machine={machine} onClose={close} />}
      {open === "keys" && <ReplaceKeysDialog machine={machine} onClose={close} />}
      {open === "remove" && <RemoveMachineDialog machine={machine} onClose={close} />}
    </>
  );
}

interface MachineDialogProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

function RemoveMachineDialog({ machine: { id, name, meshes }, onClose }: MachineDialogProps) {
  const navigate = useNavigate();
  return (
    <ConfirmChange
      operation={deleteMachine}
      input={{ params: { machineId: id } }}
      makesOld={[listMachines.id, listMeshes.id]}
      words={`${name} is removed`}
      onDone={() => void navigate({ to: "/machines" })}
      title={`Remove ${name}?`}
      name={name}
      verb="Remove machine"
      onClose={onClose}
    >
      <ul className="list-disc space-y-1 pl-5">
        {meshes.map(({ meshId, meshName, address }) => (
          <li key={meshId}>
            It leaves {meshName}, and {address} is free again after 24 hours.
          </li>
        ))}
        <li>The others drop its keys at once.</li>
        <li>Its identity is never taken again: to come back it has to enrol anew, with a join token.</li>
      </ul>
    </ConfirmChange>
  );
}
