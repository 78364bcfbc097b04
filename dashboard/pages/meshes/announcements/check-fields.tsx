// The part of a form that says when a machine may announce.
import { Field, Select, TextInput } from "../../../components/field.tsx";
import { CHECK_LABELS, CHECK_TYPES, type CheckDraft } from "./announcement-model.ts";

interface CheckFieldsProps {
  readonly draft: CheckDraft;
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (draft: CheckDraft) => void;
}

const TIMING = [
  ["intervalSeconds", "Every, seconds"],
  ["timeoutSeconds", "Timeout, seconds"],
  ["healthyThreshold", "Healthy after"],
  ["unhealthyThreshold", "Unhealthy after"],
  ["holdoffSeconds", "Hold-off, seconds"],
] as const;

export function CheckFields({ draft, errors, onChange }: CheckFieldsProps) {
  const words = draft.type === "none" ? null : CHECK_LABELS[draft.type];
  return (
    <>
      <Field
        label="Health check"
        hint={
          words === null
            ? "Without one, its machines announce for as long as they are up."
            : "Each machine checks for itself."
        }
      >
        {(ids) => (
          <Select
            {...ids}
            value={draft.type}
            onChange={(event) => onChange({ ...draft, type: event.target.value as CheckDraft["type"] })}
          >
            <option value="none">None</option>
            {CHECK_TYPES.map((type) => (
              <option key={type} value={type}>
                {CHECK_LABELS[type].label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {words !== null && (
        <>
          <Field
            label={draft.type === "exec" ? "Command" : "Target"}
            hint={words.hint}
            error={draft.target === "" ? null : errors.target}
          >
            {(ids) => (
              <TextInput
                {...ids}
                className="font-mono"
                placeholder={words.example}
                value={draft.target}
                onChange={(event) => onChange({ ...draft, target: event.target.value })}
                spellCheck={false}
                autoCapitalize="none"
              />
            )}
          </Field>
          <details className="rounded-md border border-line">
            <summary className="px-3 py-2 font-medium">Timing</summary>
            <div className="grid grid-cols-2 gap-3 px-3 pb-3">
              {TIMING.map(([name, label]) => (
                <Field key={name} label={label} error={errors[name]}>
                  {(ids) => (
                    <TextInput
                      {...ids}
                      inputMode="numeric"
                      value={draft[name]}
                      onChange={(event) => onChange({ ...draft, [name]: event.target.value })}
                    />
                  )}
                </Field>
              ))}
            </div>
          </details>
        </>
      )}
    </>
  );
}
