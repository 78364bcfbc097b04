import type { ReactNode } from "react";
import { SelectField, TextAreaField, TextField } from "../../../components/field.tsx";
import { ActionField } from "./action-field.tsx";
import type { FieldErrors, RuleDraft } from "./policy-draft-model.ts";

interface RuleFieldsProps {
  readonly rule: RuleDraft;
  readonly errors: FieldErrors;
  readonly onChange: (changes: Partial<RuleDraft>) => void;
}

type TextName = { [Key in keyof RuleDraft]: RuleDraft[Key] extends string ? Key : never }[keyof RuleDraft];

const Group = ({ legend, children }: { readonly legend: string; readonly children: ReactNode }) => (
  <fieldset className="grid gap-4 sm:grid-cols-2">
    <legend className="mb-2 font-medium text-muted text-xs uppercase tracking-wide">{legend}</legend>
    {children}
  </fieldset>
);

export function RuleFields({ rule, errors, onChange }: RuleFieldsProps) {
  const text = (name: TextName, label: string, hint: string, placeholder = "", isNumber = false) => (
    <TextField
      label={label}
      hint={hint}
      error={errors[name]}
      isCode={name !== "description"}
      value={rule[name]}
      placeholder={placeholder}
      inputMode={isNumber ? "numeric" : "text"}
      onChange={(typed) => onChange({ [name]: typed })}
    />
  );
  return (
    <div className="flex flex-col gap-6">
      {text("description", "Description", "For people.", "backup site")}
      <Group legend="Matches routes that meet all of this">
        <div className="sm:col-span-2">
          <TextAreaField
            label="Prefixes"
            error={errors.prefixes}
            hint="One a line. Empty: any prefix."
            value={rule.prefixes}
            placeholder="192.168.0.0/16"
            onChange={(prefixes) => onChange({ prefixes })}
          />
        </div>
        {text("minLength", "Shortest length", "Empty, both: exactly these prefixes.", "16", true)}
        {text("maxLength", "Longest length", "With a bound: also what is inside them.", "24", true)}
        {text("communities", "Communities", "Carries one of these. Empty: any.", "65000:100 4200000001:1:100")}
        <AsPathField rule={rule} error={errors.asPath} onChange={onChange} />
      </Group>
      <Group legend="And then">
        <ActionField
          label="Action"
          hint={rule.action === "accept" ? "Taken, changed as follows." : "As if the route were not there."}
          value={rule.action}
          onChange={(action) => onChange({ action })}
        />
      </Group>
      {rule.action === "accept" && (
        <Group legend="Changes">
          {text("setLocalPreference", "Local preference", "The highest wins. Empty: the set's default.", "100", true)}
          {text("setMed", "MED", "The lowest wins. Empty: stays.", "", true)}
          <SelectField
            label="Communities it carries"
            hint="Then some are removed, and others added."
            value={rule.communityMode}
            onChange={(mode) => onChange({ communityMode: mode === "replace" ? "replace" : "keep" })}
          >
            <option value="keep">Stay</option>
            <option value="replace">Are replaced</option>
          </SelectField>
          {rule.communityMode === "replace" ? (
            text("setCommunities", "Replaced by", "Empty: all are taken away.", "65000:100")
          ) : (
            <span className="hidden sm:block" />
          )}
          {text("removeCommunities", "Remove communities", "", "65000:100")}
          {text("addCommunities", "Add communities", "", "65000:200")}
          {text("prependCount", "Prepend", "How often an AS is put before the path, between meshes.", "0", true)}
        </Group>
      )}
    </div>
  );
}

interface AsPathFieldProps extends Pick<RuleFieldsProps, "rule" | "onChange"> {
  readonly error: string | undefined;
}

const MODES = ["any", "local", "pattern"] as const;

const AsPathField = ({ rule, error, onChange }: AsPathFieldProps) => (
  <div className="flex flex-col gap-2">
    <SelectField
      label="AS path"
      value={rule.asPathMode}
      onChange={(chosen) => onChange({ asPathMode: MODES.find((mode) => mode === chosen) ?? "any" })}
    >
      <option value="any">Any</option>
      <option value="local">Empty: begins in the mesh itself</option>
      <option value="pattern">Like a pattern</option>
    </SelectField>
    {rule.asPathMode === "pattern" && (
      <TextField
        label="Pattern"
        error={error}
        hint="Newest AS first; ? is any one, * any number of them, 64512..65534."
        isCode
        value={rule.asPath}
        placeholder="* 4200000001"
        onChange={(asPath) => onChange({ asPath })}
      />
    )}
  </div>
);
