import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { createPolicySet, listPolicySets } from "#schema/api/policy-sets";
import type { PolicySet } from "#schema/policy";
import { Choice, TextField } from "../../components/field.tsx";
import { FormDialog } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { judgeName } from "../meshes/create/mesh-draft-model.ts";

interface CreatePolicySetDialogProps {
  readonly sets: readonly PolicySet[];
  readonly onClose: () => void;
}

const DEFAULTS = [
  { value: "accept", label: "Accept what no rule matches", hint: "Rules take away, or change." },
  { value: "reject", label: "Reject what no rule matches", hint: "Rules say what is let through." },
] as const;

export function CreatePolicySetDialog({ sets, onClose }: CreatePolicySetDialogProps) {
  const navigate = useNavigate();
  const form = useForm(createPolicySet, [listPolicySets.id], {
    onDone: ({ id }) => void navigate({ to: "/policy-sets/$policySetId", params: { policySetId: id } }),
  });
  const [name, setName] = useState("");
  const [defaultAction, setDefaultAction] = useState<PolicySet["defaultAction"]>("accept");
  const taken = sets.map((set) => set.name);
  const nameError = judgeName(name, taken);
  return (
    <FormDialog
      title="Create a policy set"
      description="Rules come next. It does nothing until something uses it."
      form={form}
      fields={["name"]}
      verb="Create policy set"
      isReady={name !== "" && nameError === null}
      onSubmit={() => form.send({ body: { name, defaultAction } })}
      onClose={onClose}
    >
      <TextField
        label="Name"
        error={nameError ?? form.refused.name}
        value={name}
        onChange={setName}
        placeholder="prefer-main-site"
      />
      <Choice legend="By default" value={defaultAction} onChange={setDefaultAction} options={DEFAULTS} />
    </FormDialog>
  );
}
