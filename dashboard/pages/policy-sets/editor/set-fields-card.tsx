import { Field, Select, TextInput } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
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
      <Field label="Name" error={errors.name}>
        {(ids) => (
          <TextInput
            {...ids}
            value={draft.name}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => onChange({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label="Description" error={errors.description}>
        {(ids) => (
          <TextInput
            {...ids}
            value={draft.description}
            onChange={(event) => onChange({ description: event.target.value })}
          />
        )}
      </Field>
      <Field label="Default action" hint="For routes that no rule matches.">
        {(ids) => (
          <Select
            {...ids}
            value={draft.defaultAction}
            onChange={(event) => onChange({ defaultAction: event.target.value === "reject" ? "reject" : "accept" })}
          >
            <option value="accept">Accept</option>
            <option value="reject">Reject</option>
          </Select>
        )}
      </Field>
      <Field
        label="Default local preference"
        error={errors.defaultLocalPreference}
        hint="Of accepted routes whose rule sets none. Empty: it stays."
      >
        {(ids) => (
          <TextInput
            {...ids}
            className="font-mono"
            inputMode="numeric"
            placeholder="100"
            value={draft.defaultLocalPreference}
            onChange={(event) => onChange({ defaultLocalPreference: event.target.value })}
          />
        )}
      </Field>
    </fieldset>
  </Card>
);
