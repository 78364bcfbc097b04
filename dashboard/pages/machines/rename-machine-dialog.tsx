import { type FormEvent, useState } from "react";
import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { useChange } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { Field, TextInput } from "../../components/field.tsx";
import { useToast } from "../../components/toast.tsx";
import { judgeName } from "../meshes/create/mesh-draft-model.ts";
import { FormError } from "../query-view.tsx";

interface RenameMachineDialogProps {
  readonly machine: Machine;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export const RenameMachineDialog = ({ machine, isOpen, onClose }: RenameMachineDialogProps) => (
  <Dialog title={`Rename ${machine.name}`} isOpen={isOpen} onClose={onClose}>
    <RenameForm machine={machine} onClose={onClose} />
  </Dialog>
);

function RenameForm({ machine, onClose }: Omit<RenameMachineDialogProps, "isOpen">) {
  const rename = useChange(updateMachine, [getMachine.id, listMachines.id]);
  const toast = useToast();
  const [name, setName] = useState<string>(machine.name);
  const error = judgeName(name, []);
  const isReady = name !== "" && name !== machine.name && error === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const onSuccess = () => {
      toast(`It is ${name} now`);
      onClose();
    };
    rename.mutate({ params: { machineId: machine.id }, body: { name } }, { onSuccess });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="Name" error={error} hint="Addresses and keys stay.">
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
          )}
        </Field>
        <FormError error={rename.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!isReady} isBusy={rename.isPending}>
          Rename
        </Button>
      </DialogFooter>
    </form>
  );
}
