import { useState } from "react";
import { Ipv4 } from "#schema/address";
import { listMachines } from "#schema/api/machines";
import { addMember } from "#schema/api/members";
import { useList } from "../../../api/use-api.ts";
import { SelectField, TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { QueryView } from "../../query-view.tsx";
import { MEMBERSHIP_MAKES_OLD } from "./member-model.ts";

interface AddMemberDialogProps {
  readonly meshId: string;
  readonly onClose: () => void;
}

/** Puts a machine that is enrolled into the mesh. */
export function AddMemberDialog({ meshId, onClose }: AddMemberDialogProps) {
  const machines = useList(listMachines, {});
  const form = useForm(addMember, MEMBERSHIP_MAKES_OLD, {
    onClose,
    toWords: ({ name, address }) => `${name} is ${address}`,
  });
  const [machineId, setMachineId] = useState("");
  const [typed, setTyped] = useState("");
  const address = typed.trim();
  const addressError =
    address === "" || Ipv4.safeParse(address).success ? null : "must be an IPv4 address like 10.1.0.7";
  const body = { machineId, ...(address === "" ? {} : { address }) };
  return (
    <FormDialog
      title="Assign a machine"
      description="It gets an address of the mesh and keeps it for as long as it stays."
      form={form}
      fields={["machineId", "address"]}
      verb="Assign"
      isReady={machineId !== "" && addressError === null}
      onSubmit={() => form.send({ params: { meshId }, body })}
      onClose={onClose}
    >
      <QueryView query={machines}>
        {(all) => {
          const others = all.filter(({ meshes }) => meshes.every((membership) => membership.meshId !== meshId));
          return (
            <SelectField
              label="Machine"
              error={form.refused.machineId}
              hint={others.length === 0 ? "Every machine is in this mesh. Add a new one instead." : undefined}
              value={machineId}
              onChange={setMachineId}
              disabled={others.length === 0}
            >
              <option value="">Choose…</option>
              {others
                .toSorted((a, b) => a.name.localeCompare(b.name))
                .map(({ id, name, online }) => (
                  <option key={id} value={id}>
                    {name}
                    {online ? "" : " (offline)"}
                  </option>
                ))}
            </SelectField>
          );
        }}
      </QueryView>
      <TextField
        label="Address"
        error={addressError ?? form.refused.address}
        hint="Left empty: the lowest free one."
        isCode
        placeholder="automatic"
        inputMode="decimal"
        value={typed}
        onChange={setTyped}
      />
    </FormDialog>
  );
}
