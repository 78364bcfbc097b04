// Form fields: a label, the control, and a hint or what is wrong with it, joined for screen readers.
import { Switch as RadixSwitch } from "radix-ui";
import { type ComponentProps, type ReactNode, useId } from "react";
import { classNames } from "../lib/class-names.ts";

interface ControlIds {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean | undefined;
}

interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: string | null | undefined;
  readonly children: (ids: ControlIds) => ReactNode;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium text-ink">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": note ? noteId : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {note && (
        <p id={noteId} className={classNames("text-xs", error ? "text-bad" : "text-muted")} aria-live="polite">
          {note}
        </p>
      )}
    </div>
  );
}

// 16 px on phones: a smaller text makes iOS zoom in.
const CONTROL =
  "h-9 w-full rounded-md border border-line-strong bg-surface px-3 text-base text-ink placeholder:text-faint sm:text-sm " +
  "aria-invalid:border-bad disabled:opacity-60";

export const TextInput = ({ className, ...rest }: ComponentProps<"input">) => (
  <input type="text" {...rest} className={classNames(CONTROL, className)} />
);

export const TextArea = ({ className, ...rest }: ComponentProps<"textarea">) => (
  <textarea {...rest} className={classNames(CONTROL, "h-auto min-h-20 py-2", className)} />
);

/** The system's own list: it works with keyboards, screen readers and thumbs everywhere. */
export const Select = ({ className, ...rest }: ComponentProps<"select">) => (
  <select {...rest} className={classNames(CONTROL, "pr-8", className)} />
);

interface LabelledProps extends Omit<FieldProps, "children"> {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

type TextFieldProps = LabelledProps &
  Omit<ComponentProps<"input">, keyof LabelledProps> & {
    /** An address, a number, a command: in the fixed-width face. */
    readonly isCode?: boolean;
  };

/** A line of text, as typed: browsers and phones put nothing in its place unless they are told to. */
export const TextField = ({ label, hint, error, onChange, isCode = false, className, ...rest }: TextFieldProps) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => (
      <TextInput
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        {...rest}
        {...ids}
        className={classNames(isCode && "font-mono", className)}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);

type TextAreaFieldProps = LabelledProps & Pick<ComponentProps<"textarea">, "placeholder">;

/** Lines of addresses and the like. */
export const TextAreaField = ({ label, hint, error, onChange, ...rest }: TextAreaFieldProps) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => (
      <TextArea
        {...rest}
        {...ids}
        className="font-mono"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);

type SelectFieldProps = LabelledProps & Omit<ComponentProps<"select">, keyof LabelledProps>;

export const SelectField = ({ label, hint, error, onChange, ...rest }: SelectFieldProps) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => <Select {...rest} {...ids} onChange={(event) => onChange(event.target.value)} />}
  </Field>
);

interface SwitchFieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly disabled?: boolean;
}

export function SwitchField({ label, hint, isOn, onChange, disabled = false }: SwitchFieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="flex items-start gap-3">
      <RadixSwitch.Root
        id={id}
        checked={isOn}
        onCheckedChange={onChange}
        disabled={disabled}
        aria-describedby={hint ? hintId : undefined}
        className="mt-0.5 h-5 w-9 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors disabled:opacity-55 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <RadixSwitch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-line-strong transition-transform data-[state=checked]:translate-x-[1.1rem] data-[state=checked]:bg-on-accent" />
      </RadixSwitch.Root>
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint && (
          <p id={hintId} className="mt-0.5 text-muted text-xs">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  readonly legend: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly hint: string }[];
  readonly disabled?: boolean;
}

/** One of a few, each with what it means. */
export function Choice<Value extends string>({ legend, value, onChange, options, disabled }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-2" disabled={disabled}>
      <legend className="mb-1.5 font-medium">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className="flex items-start gap-3 rounded-md border border-line px-3 py-2 has-checked:border-accent has-checked:bg-accent-soft"
        >
          <input
            type="radio"
            name={name}
            className="mt-0.5 size-4 shrink-0 accent-accent"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>
            <span className="font-medium">{option.label}</span>
            <span className="block text-muted text-xs">{option.hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
