import { useState } from "react";
import { getMachine, rotateMachineKeys } from "#schema/api/machines";
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
  const form = useForm(rotateMachineKeys, [getMachine.id, getMember.id, listMembers.id], {
    onClose,
    toWords: () => `${name} was asked for new keys`,
  });
  const where = meshes.length === 1 ? "in its mesh" : `in each of its ${meshes.length} meshes`;
  return (
    <FormDialog
      title={`Replace the keys of ${name}?`}
      form={form}
      verb="Replace keys"
      isReady
      onSubmit={() => form.send({ params: { machineId: id }, body: { force } })}
      onClose={onClose}
    >
      <ul className="list-disc space-y-1 pl-5 text-muted">
        <li>
          As soon as it is connected it makes a new identity key, with which it signs its requests. The former one is
          taken for two minutes more.
        </li>
        {meshes.length > 0 && (
          <>
            <li>
              It makes a new WireGuard key {where}, and tells the others. The former one is worth nothing then. Packets
              wait for that moment, mostly less than half a second; none is lost.
            </li>
            <li>
              {force
                ? "Machines that aren't connected to the control plane can't reach it until they are."
                : "With that it waits until every machine that it has a session with is connected to the control plane, and says for whom."}
            </li>
          </>
        )}
      </ul>
      {meshes.length > 0 && (
        <SwitchField
          label="Wait for nobody"
          hint="When a key was stolen."
          isOn={force}
          onChange={setForce}
          disabled={form.isBusy}
        />
      )}
    </FormDialog>
  );
}
