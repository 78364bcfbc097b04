import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { createPolicySet, listPolicySets } from "#schema/api/policy-sets";
import type { PolicySet } from "#schema/policy";
import { toFieldErrors } from "../../api/api-error.ts";
import { useChange } from "../../api/use-api.ts";
import { useIdempotencyKey } from "../../browser/use-idempotency-key.ts";
import { Button } from "../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { Choice, Field, TextInput } from "../../components/field.tsx";
import { judgeName } from "../meshes/create/mesh-draft-model.ts";
import { FormError } from "../query-view.tsx";

interface CreatePolicySetDialogProps {
  readonly isOpen: boolean;
  readonly sets: readonly PolicySet[];
  readonly onClose: () => void;
}

export const CreatePolicySetDialog = ({ isOpen, ...rest }: CreatePolicySetDialogProps) => (
  <Dialog
    title="Create a policy set"
    description="Rules come next. It does nothing until something uses it."
    isOpen={isOpen}
    onClose={rest.onClose}
  >
    <CreateForm {...rest} />
  </Dialog>
);

const DEFAULTS = [
  { value: "accept", label: "Accept what no rule matches", hint: "Rules take away, or change." },
  { value: "reject", label: "Reject what no rule matches", hint: "Rules say what is let through." },
] as const;

function CreateForm({ sets, onClose }: Omit<CreatePolicySetDialogProps, "isOpen">) {
  const create = useChange(createPolicySet, [listPolicySets.id]);
  const idempotencyKey = useIdempotencyKey();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [defaultAction, setDefaultAction] = useState<PolicySet["defaultAction"]>("accept");
  const taken = sets.map((set) => set.name);
  const nameError = judgeName(name, taken);
  const refused = toFieldErrors(create.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name === "" || nameError !== null) return;
    create.mutate(
      { body: { name, defaultAction }, idempotencyKey },
      {
        onSuccess: ({ id }) => void navigate({ to: "/policy-sets/$policySetId", params: { policySetId: id } }),
      },
    );
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="Name" error={nameError ?? refused.name}>
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              placeholder="prefer-main-site"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Choice legend="By default" value={defaultAction} onChange={setDefaultAction} options={DEFAULTS} />
        <FormError error={refused.name ? null : create.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={name === "" || nameError !== null} isBusy={create.isPending}>
          Create policy set
        </Button>
      </DialogFooter>
    </form>
  );
}
