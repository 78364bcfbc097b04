import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { createMesh, listMeshes } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { SwitchField, TextField } from "../../../components/field.tsx";
import { Notice } from "../../../components/states.tsx";
import { formatCount } from "../../../lib/format.ts";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { type CidrJudgement, judgeCidr, judgeName, suggestCidr } from "./mesh-draft-model.ts";

interface CreateMeshDialogProps {
  readonly onClose: () => void;
  readonly meshes: readonly Mesh[];
}

export function CreateMeshDialog({ meshes, onClose }: CreateMeshDialogProps) {
  const navigate = useNavigate();
  const form = useForm(createMesh, [listMeshes.id], {
    onClose,
    toWords: (mesh) => `${mesh.name} is there`,
    onDone: ({ id }) => void navigate({ to: "/meshes/$meshId", params: { meshId: id } }),
  });
  const [name, setName] = useState("");
  const [typed, setTyped] = useState(() => suggestCidr(meshes) ?? "");
  const [isDefault, setDefault] = useState(meshes.length === 0);
  const cidr = typed.trim();
  const judgement = judgeCidr(cidr, meshes);
  const taken = meshes.map((mesh) => mesh.name);
  const nameError = judgeName(name, taken);
  const previous = meshes.find((mesh) => mesh.isDefault);
  return (
    <FormDialog
      title="Create a mesh"
      description="A private network. Machines that join it get an address and reach each other."
      form={form}
      fields={["name", "cidr"]}
      verb="Create mesh"
      isReady={name !== "" && nameError === null && judgement.hosts !== null}
      onSubmit={() => form.send({ body: { name, cidr, isDefault } })}
      onClose={onClose}
    >
      <TextField
        label="Name"
        error={nameError ?? form.refused.name}
        hint="Lower-case letters, digits and hyphens."
        value={name}
        onChange={setName}
        placeholder="office"
      />
      <TextField
        label="Network"
        error={judgement.error ?? form.refused.cidr}
        hint={toCidrHint(judgement)}
        isCode
        value={typed}
        onChange={setTyped}
        placeholder="10.77.0.0/16"
        inputMode="decimal"
      />
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
    </FormDialog>
  );
}

function toCidrHint({ hosts, range }: CidrJudgement): string {
  if (hosts === null || range === null) return "A private IPv4 network of /8 to /30. It never changes.";
  return `Room for ${formatCount(hosts)} machines, ${range[0]} to ${range[1]}. It never changes; IPv6 comes by itself.`;
}
