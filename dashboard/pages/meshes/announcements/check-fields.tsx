// The part of a form that says when a machine may announce.
import { SelectField, TextField } from "../../../components/field.tsx";
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
      <SelectField
        label="Health check"
        hint={
          words === null
            ? "Without one, its machines announce for as long as they are up."
            : "Each machine checks for itself."
        }
        value={draft.type}
        onChange={(type) => onChange({ ...draft, type: type as CheckDraft["type"] })}
      >
        <option value="none">None</option>
        {CHECK_TYPES.map((type) => (
          <option key={type} value={type}>
            {CHECK_LABELS[type].label}
          </option>
        ))}
      </SelectField>
      {words !== null && (
        <>
          <TextField
            label={draft.type === "exec" ? "Command" : "Target"}
            hint={words.hint}
            error={draft.target === "" ? null : errors.target}
            isCode
            placeholder={words.example}
            value={draft.target}
            onChange={(target) => onChange({ ...draft, target })}
          />
          <details className="rounded-md border border-line">
            <summary className="px-3 py-2 font-medium">Timing</summary>
            <div className="grid grid-cols-2 gap-3 px-3 pb-3">
              {TIMING.map(([name, label]) => (
                <TextField
                  key={name}
                  label={label}
                  error={errors[name]}
                  inputMode="numeric"
                  value={draft[name]}
                  onChange={(text) => onChange({ ...draft, [name]: text })}
                />
              ))}
            </div>
          </details>
        </>
      )}
    </>
  );
}
