// Which policy sets a mesh or a machine uses.
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { listPolicySets } from "#schema/api/policy-sets";
import { PolicySetId } from "#schema/ids";
import type { PolicySet } from "#schema/policy";
import { useList } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField } from "../../components/field.tsx";
import { Card } from "../../components/layout.tsx";
import type { FormState } from "../form/use-form.ts";
import { FormError, QueryView } from "../query-view.tsx";

export interface PolicyChoice {
  readonly importPolicySetId: PolicySetId | null;
  readonly exportPolicySetId: PolicySetId | null;
}

interface DirectionWords {
  readonly hint: string;
  /** What holds without a set. */
  readonly none: string;
}

interface PoliciesCardProps {
  readonly chosen: PolicyChoice;
  readonly words: { readonly import: DirectionWords; readonly export: DirectionWords };
  readonly canChange: boolean;
  readonly form: FormState;
  readonly onSave: (choice: PolicyChoice) => void;
}

export function PoliciesCard(props: PoliciesCardProps) {
  const sets = useList(listPolicySets, {});
  return (
    <Card
      title="Policies"
      actions={
        <Link to="/policy-sets" className="text-accent text-xs hover:underline">
          All policy sets
        </Link>
      }
    >
      <QueryView query={sets}>{(all) => <PoliciesForm {...props} sets={all} />}</QueryView>
    </Card>
  );
}

interface PoliciesFormProps extends PoliciesCardProps {
  readonly sets: readonly PolicySet[];
}

function PoliciesForm({ chosen, words, canChange, form, onSave, sets }: PoliciesFormProps) {
  const { importPolicySetId, exportPolicySetId } = chosen;
  // What is not touched follows what is told, also when somebody else changes it.
  const [changes, setChanges] = useState<Partial<PolicyChoice>>({});
  const choice = { importPolicySetId, exportPolicySetId, ...changes };
  const isChanged = choice.importPolicySetId !== importPolicySetId || choice.exportPolicySetId !== exportPolicySetId;
  // Saved: what was chosen is what is told.
  if (!isChanged && Object.keys(changes).length > 0) setChanges({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged) onSave(choice);
  };
  const field = (name: keyof PolicyChoice, label: string, { hint, none }: DirectionWords) => (
    <SelectField
      label={label}
      hint={hint}
      value={choice[name] ?? ""}
      disabled={!canChange}
      onChange={(id) => setChanges({ ...changes, [name]: PolicySetId.safeParse(id).data ?? null })}
    >
      <option value="">{none}</option>
      {sets.map(({ id, name: text }) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
    </SelectField>
  );
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {field("importPolicySetId", "Import", words.import)}
      {field("exportPolicySetId", "Export", words.export)}
      <FormError error={form.error} />
      {canChange && (
        <div>
          <Button type="submit" disabled={!isChanged} isBusy={form.isBusy}>
            Save policies
          </Button>
        </div>
      )}
    </form>
  );
}
