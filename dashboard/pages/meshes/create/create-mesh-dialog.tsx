import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createMesh, listMeshes } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { toFieldErrors } from "../../../api/api-error.ts";
import { useChange } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, SwitchField, TextInput } from "../../../components/field.tsx";
import { Notice } from "../../../components/states.tsx";
import { useToast } from "../../../components/toast.tsx";
import { formatCount } from "../../../lib/format.ts";
import { FormError } from "../../query-view.tsx";
import { type CidrJudgement, judgeCidr, judgeName, suggestCidr } from "./mesh-draft-model.ts";

interface CreateMeshDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly meshes: readonly Mesh[];
}

export const CreateMeshDialog = ({ isOpen, onClose, meshes }: CreateMeshDialogProps) => (
  <Dialog
    title="Create a mesh"
    description="A private network. Machines that join it get an address and reach each other."
    isOpen={isOpen}
    onClose={onClose}
  >
    <CreateMeshForm meshes={meshes} onClose={onClose} />
  </Dialog>
);

function CreateMeshForm({ meshes, onClose }: Omit<CreateMeshDialogProps, "isOpen">) {
  const navigate = useNavigate();
  const toast = useToast();
  const idempotencyKey = useIdempotencyKey();
  const create = useChange(createMesh, [listMeshes.id]);
  const [name, setName] = useState("");
  const [cidr, setCidr] = useState(() => suggestCidr(meshes) ?? "");
  const [isDefault, setDefault] = useState(meshes.length === 0);
  const judgement = judgeCidr(cidr.trim(), meshes);
  const nameError = judgeName(
    name,
    meshes.map((mesh) => mesh.name),
  );
  const refused = toFieldErrors(create.error);
  const isReady = name !== "" && nameError === null && judgement.hosts !== null;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const input = { body: { name, cidr: cidr.trim(), isDefault }, idempotencyKey };
    const mesh = await create.mutateAsync(input).catch(() => null);
    if (mesh === null) return;
    toast(`${mesh.name} is there`);
    onClose();
    await navigate({ to: "/meshes/$meshId", params: { meshId: mesh.id } });
  };
  const previous = meshes.find((mesh) => mesh.isDefault);
  return (
    <form onSubmit={(event) => void submit(event)} className="contents" noValidate>
      <DialogBody>
        <Field label="Name" error={nameError ?? refused.name} hint="Lower-case letters, digits and hyphens.">
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              onChange={(event) => setName(event.target.value)}
              placeholder="office"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
          )}
        </Field>
        <Field label="Network" error={judgement.error ?? refused.cidr} hint={toCidrHint(judgement)}>
          {(ids) => (
            <TextInput
              {...ids}
              className="font-mono"
              value={cidr}
              onChange={(event) => setCidr(event.target.value)}
              placeholder="10.77.0.0/16"
              inputMode="decimal"
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        {judgement.overlaps.length > 0 && (
          <Notice tone="warn">
            Overlaps {judgement.overlaps.map((mesh) => `${mesh.name} (${mesh.cidr})`).join(", ")}: no machine can be in
            both.
          </Notice>
        )}
        <SwitchField
          label="Default mesh"
          hint={
            previous && isDefault
              ? `New machines join it, in place of ${previous.name}.`
              : "New machines join it, unless their join token says otherwise."
          }
          isOn={isDefault}
          onChange={setDefault}
        />
        <FormError error={Object.keys(refused).length === 0 ? create.error : null} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!isReady} isBusy={create.isPending}>
          Create mesh
        </Button>
      </DialogFooter>
    </form>
  );
}

function toCidrHint({ hosts, range }: CidrJudgement): string {
  if (hosts === null || range === null) return "A private IPv4 network of /8 to /30. It never changes.";
  return `Room for ${formatCount(hosts)} machines, ${range[0]} to ${range[1]}. It never changes; IPv6 comes by itself.`;
}
