import { useState } from "react";
import { rotateMachineKeys } from "#schema/api/machines";
import { getMember, listMembers } from "#schema/api/members";
import type { Machine } from "#schema/machine";
import { SwitchField } from "../../components/field.tsx";
import { FormDialog } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";

interface ReplaceKeysDialogProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

export function ReplaceKeysDialog({ machine: { id, name, meshes }, onClose }: ReplaceKeysDialogProps) {
  const [force, setForce] = useState(false);
  const form = useForm(rotateMachineKeys, [getMember.id, listMembers.id], {
    onClose,
    toWords: () => `${name} was asked for new keys`,
  });
  const where = meshes.length === 1 ? "its mesh" : `each of its ${meshes.length} meshes`;
  return (
    <FormDialog
      title={`Replace the keys of ${name}?`}
      form={form}
      verb="Replace keys"
      isReady={meshes.length > 0}
      onSubmit={() => form.send({ params: { machineId: id }, body: { force } })}
      onClose={onClose}
    >
      <ul className="list-disc space-y-1 pl-5 text-muted">
        <li>
          {meshes.length === 0
            ? "It is in no mesh, so it has no key to replace."
            : `It makes a new WireGuard key in ${where}, as soon as it is connected, and tells the others. The former one is worth nothing then.`}
        </li>
        <li>Packets wait for that moment, mostly less than half a second; none is lost.</li>
        <li>
          {force
            ? "Machines that aren't connected to the control plane can't reach it until they are."
            : "It waits until every machine that it has a session with is connected to the control plane, and says for whom."}
        </li>
      </ul>
      <SwitchField
        label="Wait for nobody"
        hint="When a key was stolen."
        isOn={force}
        onChange={setForce}
        disabled={form.isBusy}
      />
    </FormDialog>
  );
}
