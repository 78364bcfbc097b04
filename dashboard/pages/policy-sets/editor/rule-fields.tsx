import type { ReactNode } from "react";
import { Field, Select, TextArea, TextInput } from "../../../components/field.tsx";
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
    <Field label={label} hint={hint} error={errors[name]}>
      {(ids) => (
        <TextInput
          {...ids}
          className={name === "description" ? "" : "font-mono"}
          value={rule[name]}
          placeholder={placeholder}
          inputMode={isNumber ? "numeric" : "text"}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => onChange({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="flex flex-col gap-6">
      {text("description", "Description", "For people.", "backup site")}
      <Group legend="Matches routes that meet all of this">
        <div className="sm:col-span-2">
          <Field label="Prefixes" error={errors.prefixes} hint="One a line. Empty: any prefix.">
            {(ids) => (
              <TextArea
                {...ids}
                className="font-mono"
                value={rule.prefixes}
                placeholder="192.168.0.0/16"
                spellCheck={false}
                onChange={(event) => onChange({ prefixes: event.target.value })}
              />
            )}
          </Field>
        </div>
        {text("minLength", "Shortest length", "Empty, both: exactly these prefixes.", "16", true)}
        {text("maxLength", "Longest length", "With a bound: also what is inside them.", "24", true)}
        {text("communities", "Communities", "Carries one of these. Empty: any.", "65000:100 4200000001:1:100")}
        <AsPathField rule={rule} error={errors.asPath} onChange={onChange} />
      </Group>
      <Group legend="And then">
        <Field
          label="Action"
          hint={rule.action === "accept" ? "Taken, changed as follows." : "As if the route were not there."}
        >
          {(ids) => (
            <Select
              {...ids}
              value={rule.action}
              onChange={(event) => onChange({ action: event.target.value === "reject" ? "reject" : "accept" })}
            >
              <option value="accept">Accept</option>
              <option value="reject">Reject</option>
            </Select>
          )}
        </Field>
      </Group>
      {rule.action === "accept" && (
        <Group legend="Changes">
          {text("setLocalPreference", "Local preference", "The highest wins. Empty: the set's default.", "100", true)}
          {text("setMed", "MED", "The lowest wins. Empty: stays.", "", true)}
          <Field label="Communities it carries" hint="Then some are removed, and others added.">
            {(ids) => (
              <Select
                {...ids}
                value={rule.communityMode}
                onChange={(event) => onChange({ communityMode: event.target.value === "replace" ? "replace" : "keep" })}
              >
                <option value="keep">Stay</option>
                <option value="replace">Are replaced</option>
              </Select>
            )}
          </Field>
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
    <Field label="AS path">
      {(ids) => (
        <Select
          {...ids}
          value={rule.asPathMode}
          onChange={(event) => onChange({ asPathMode: MODES.find((mode) => mode === event.target.value) ?? "any" })}
        >
          <option value="any">Any</option>
          <option value="local">Empty: begins in the mesh itself</option>
          <option value="pattern">Like a pattern</option>
        </Select>
      )}
    </Field>
    {rule.asPathMode === "pattern" && (
      <Field label="Pattern" error={error} hint="Newest AS first; ? is any one, * any number of them, 64512..65534.">
        {(ids) => (
          <TextInput
            {...ids}
            className="font-mono"
            value={rule.asPath}
            placeholder="* 4200000001"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => onChange({ asPath: event.target.value })}
          />
        )}
      </Field>
    )}
  </div>
);
