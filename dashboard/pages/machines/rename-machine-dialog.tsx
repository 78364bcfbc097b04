import { useState } from "react";
import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { judgeName } from "../meshes/create/mesh-draft-model.ts";

interface RenameMachineDialogProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

export function RenameMachineDialog({ machine, onClose }: RenameMachineDialogProps) {
  const form = useForm(updateMachine, [getMachine.id, listMachines.id], {
    onClose,
    toWords: ({ name }) => `It is ${name} now`,
  });
  const [name, setName] = useState<string>(machine.name);
  const error = judgeName(name, []);
  return (
    <FormDialog
      title={`Rename ${machine.name}`}
      form={form}
      verb="Rename"
      isReady={name !== "" && name !== machine.name && error === null}
      onSubmit={() => form.send({ params: { machineId: machine.id }, body: { name } })}
      onClose={onClose}
    >
      <TextField label="Name" error={error} hint="Addresses and keys stay." value={name} onChange={setName} />
    </FormDialog>
  );
}
