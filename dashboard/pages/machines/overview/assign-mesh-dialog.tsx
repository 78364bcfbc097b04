import { type FormEvent, useState } from "react";
import { isOverlapping } from "#schema/address";
import { getMachine, listMachines } from "#schema/api/machines";
import { addMember, listMembers } from "#schema/api/members";
import { listMeshes } from "#schema/api/meshes";
import type { Machine } from "#schema/machine";
import type { Mesh } from "#schema/mesh";
import { useChange, useList } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, Select } from "../../../components/field.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError, QueryView } from "../../query-view.tsx";

interface AssignMeshDialogProps {
  readonly machine: Machine;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export const AssignMeshDialog = ({ machine, isOpen, onClose }: AssignMeshDialogProps) => (
  <Dialog title={`Assign ${machine.name} to a mesh`} isOpen={isOpen} onClose={onClose}>
    <AssignForm machine={machine} onClose={onClose} />
  </Dialog>
);

function AssignForm({ machine, onClose }: Omit<AssignMeshDialogProps, "isOpen">) {
  const meshes = useList(listMeshes, {});
  const add = useChange(addMember, [getMachine.id, listMachines.id, listMembers.id, listMeshes.id]);
  const toast = useToast();
  const idempotencyKey = useIdempotencyKey();
  const [meshId, setMeshId] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (meshId === "") return;
    add.mutate(
      { params: { meshId }, body: { machineId: machine.id }, idempotencyKey },
      {
        onSuccess(member) {
          toast(`${machine.name} is ${member.address}`);
          onClose();
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="contents">
      <DialogBody>
        <QueryView query={meshes}>
          {(all) => {
            const options = all.filter(({ id }) => machine.meshes.every((membership) => membership.meshId !== id));
            return (
              <Field
                label="Mesh"
                hint={options.length === 0 ? "It is in every mesh." : "It gets the lowest free address there."}
              >
                {(ids) => (
                  <Select {...ids} value={meshId} onChange={(event) => setMeshId(event.target.value)}>
                    <option value="">Choose…</option>
                    {options.map((mesh) => {
                      const rival = findRival(mesh, machine, all);
                      return (
                        <option key={mesh.id} value={mesh.id} disabled={rival !== undefined}>
                          {mesh.name} ({mesh.cidr}){rival ? `: overlaps ${rival.name}` : ""}
                        </option>
                      );
                    })}
                  </Select>
                )}
              </Field>
            );
          }}
        </QueryView>
        <FormError error={add.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={meshId === ""} isBusy={add.isPending}>
          Assign
        </Button>
      </DialogFooter>
    </form>
  );
}

/** A mesh that the machine is in and that has addresses of this one: it can't be in both. */
const findRival = (mesh: Mesh, machine: Machine, all: readonly Mesh[]): Mesh | undefined =>
  all.find(({ id, cidr }) => machine.meshes.some(({ meshId }) => meshId === id) && isOverlapping(cidr, mesh.cidr));
