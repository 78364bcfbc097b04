import { TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { ActionField } from "./action-field.tsx";
import type { FieldErrors, SetDraft } from "./policy-draft-model.ts";

interface SetFieldsCardProps {
  readonly draft: SetDraft;
  readonly errors: FieldErrors;
  readonly canChange: boolean;
  readonly onChange: (changes: Partial<SetDraft>) => void;
}

export const SetFieldsCard = ({ draft, errors, canChange, onChange }: SetFieldsCardProps) => (
  <Card title="Set">
    <fieldset disabled={!canChange} className="grid gap-4 sm:grid-cols-2">
      <TextField label="Name" error={errors.name} value={draft.name} onChange={(name) => onChange({ name })} />
      <TextField
        label="Description"
        error={errors.description}
        value={draft.description}
        onChange={(description) => onChange({ description })}
        autoCapitalize="sentences"
        spellCheck
      />
      <ActionField
        label="Default action"
        hint="For routes that no rule matches."
        value={draft.defaultAction}
        onChange={(defaultAction) => onChange({ defaultAction })}
      />
      <TextField
        label="Default local preference"
        error={errors.defaultLocalPreference}
        hint="Of accepted routes whose rule sets none. Empty: it stays."
        isCode
        inputMode="numeric"
        placeholder="100"
        value={draft.defaultLocalPreference}
        onChange={(defaultLocalPreference) => onChange({ defaultLocalPreference })}
      />
    </fieldset>
  </Card>
);
