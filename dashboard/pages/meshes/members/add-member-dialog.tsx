import { type FormEvent, useState } from "react";
import { Ipv4 } from "#schema/address";
import { getMachine, listMachines } from "#schema/api/machines";
import { addMember, listMembers } from "#schema/api/members";
import { getMesh, listMeshes } from "#schema/api/meshes";
import { toFieldErrors } from "../../../api/api-error.ts";
import { useChange, useList } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, Select, TextInput } from "../../../components/field.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError, QueryView } from "../../query-view.tsx";

interface AddMemberDialogProps {
  readonly meshId: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const MAKES_OLD = [listMembers.id, listMachines.id, getMachine.id, listMeshes.id, getMesh.id];

/** Puts a machine that is enrolled into the mesh. */
export const AddMemberDialog = ({ meshId, isOpen, onClose }: AddMemberDialogProps) => (
  <Dialog
    title="Assign a machine"
    description="It gets an address of the mesh and keeps it for as long as it stays."
    isOpen={isOpen}
    onClose={onClose}
  >
    <AddMemberForm meshId={meshId} onClose={onClose} />
  </Dialog>
);

function AddMemberForm({ meshId, onClose }: Omit<AddMemberDialogProps, "isOpen">) {
  const machines = useList(listMachines, {});
  const add = useChange(addMember, MAKES_OLD);
  const toast = useToast();
  const idempotencyKey = useIdempotencyKey();
  const [machineId, setMachineId] = useState("");
  const [address, setAddress] = useState("");
  const typed = address.trim();
  const addressError = typed === "" || Ipv4.safeParse(typed).success ? null : "must be an IPv4 address like 10.1.0.7";
  const refused = toFieldErrors(add.error);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (machineId === "" || addressError !== null) return;
    const body = { machineId, ...(typed === "" ? {} : { address: typed }) };
    add.mutate(
      { params: { meshId }, body, idempotencyKey },
      {
        onSuccess(member) {
          toast(`${member.name} is ${member.address}`);
          onClose();
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <QueryView query={machines}>
          {(all) => {
            const others = all.filter(({ meshes }) => meshes.every((membership) => membership.meshId !== meshId));
            return (
              <Field
                label="Machine"
                error={refused.machineId}
                hint={others.length === 0 ? "Every machine is in this mesh. Add a new one instead." : undefined}
              >
                {(ids) => (
                  <Select
                    {...ids}
                    value={machineId}
                    onChange={(event) => setMachineId(event.target.value)}
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
                  </Select>
                )}
              </Field>
            );
          }}
        </QueryView>
        <Field label="Address" error={addressError ?? refused.address} hint="Left empty: the lowest free one.">
          {(ids) => (
            <TextInput
              {...ids}
              className="font-mono"
              placeholder="automatic"
              inputMode="decimal"
              value={address}
              onChange={(event) => setAddress(event.target.value)}
            />
          )}
        </Field>
        <FormError error={Object.keys(refused).length === 0 ? add.error : null} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={machineId === ""} isBusy={add.isPending}>
          Assign
        </Button>
      </DialogFooter>
    </form>
  );
}
