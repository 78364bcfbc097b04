import { useState } from "react";
import { isOverlapping } from "#schema/address";
import { addMember } from "#schema/api/members";
import { listMeshes } from "#schema/api/meshes";
import type { Machine } from "#schema/machine";
import type { Mesh } from "#schema/mesh";
import { useList } from "../../../api/use-api.ts";
import { SelectField } from "../../../components/field.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { MEMBERSHIP_MAKES_OLD } from "../../meshes/members/member-model.ts";
import { QueryView } from "../../query-view.tsx";

interface AssignMeshDialogProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

export function AssignMeshDialog({ machine, onClose }: AssignMeshDialogProps) {
  const meshes = useList(listMeshes, {});
  const form = useForm(addMember, MEMBERSHIP_MAKES_OLD, {
    onClose,
    toWords: ({ name, address }) => `${name} is ${address}`,
  });
  const [meshId, setMeshId] = useState("");
  return (
    <FormDialog
      title={`Assign ${machine.name} to a mesh`}
      form={form}
      verb="Assign"
      isReady={meshId !== ""}
      onSubmit={() => form.send({ params: { meshId }, body: { machineId: machine.id } })}
      onClose={onClose}
    >
      <QueryView query={meshes}>
        {(all) => {
          const options = all.filter(({ id }) => machine.meshes.every((membership) => membership.meshId !== id));
          const hint = options.length === 0 ? "It is in every mesh." : "It gets the lowest free address there.";
          return (
            <SelectField label="Mesh" hint={hint} value={meshId} onChange={setMeshId}>
              <option value="">Choose…</option>
              {options.map((mesh) => {
                const rival = findRival(mesh, machine, all);
                return (
                  <option key={mesh.id} value={mesh.id} disabled={rival !== undefined}>
                    {mesh.name} ({mesh.cidr}){rival ? `: overlaps ${rival.name}` : ""}
                  </option>
                );
              })}
            </SelectField>
          );
        }}
      </QueryView>
    </FormDialog>
  );
}

/** A mesh that the machine is in and that has addresses of this one: it can't be in both. */
const findRival = (mesh: Mesh, machine: Machine, all: readonly Mesh[]): Mesh | undefined =>
  all.find(({ id, cidr }) => machine.meshes.some(({ meshId }) => meshId === id) && isOverlapping(cidr, mesh.cidr));
