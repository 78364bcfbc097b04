import { Plus } from "lucide-react";
import { useState } from "react";
import { createJoinToken } from "#schema/api/join-tokens";
import { useCan } from "../../../api/session.ts";
import { Button } from "../../../components/button.tsx";
import { AddMachineDialog } from "./add-machine-dialog.tsx";

interface AddMachineButtonProps {
  /** The mesh that is chosen to begin with. */
  readonly meshId?: string;
  /** Where a page keeps in its address that the dialog is open; it then shows the dialog itself. */
  readonly onPress?: () => void;
}

export function AddMachineButton({ meshId, onPress }: AddMachineButtonProps) {
  const [isOpen, setOpen] = useState(false);
  if (!useCan(createJoinToken)) return null;
  return (
    <>
      <Button look="primary" onClick={onPress ?? (() => setOpen(true))}>
        <Plus aria-hidden /> Add machine
      </Button>
      <AddMachineDialog isOpen={isOpen} onClose={() => setOpen(false)} {...(meshId === undefined ? {} : { meshId })} />
    </>
  );
}
