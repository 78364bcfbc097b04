// What the forms of routes and VIPs share: the name, the machines, the health check, and whether it is on.
import { useState } from "react";
import type { HealthCheck } from "#schema/health-check";
import type { Member } from "#schema/machine";
import { SwitchField, TextField } from "../../../components/field.tsx";
import { judgeName } from "../create/mesh-draft-model.ts";
import { parseCheckDraft, toCheckDraft } from "./announcement-model.ts";
import type { Announced } from "./announcers-model.ts";
import { CheckFields } from "./check-fields.tsx";
import { MachineChecklist } from "./machine-checklist.tsx";

export interface Announcement extends Announced {
  readonly id: string;
  readonly name: string;
  readonly healthCheck: HealthCheck | null;
}

/** @param item what is changed; undefined: a new one */
export function useAnnouncementDraft(item: Announcement | undefined, all: readonly Announcement[]) {
  const [draft, setDraft] = useState(() => ({
    name: item?.name ?? "",
    machineIds: item?.machineIds ?? [],
    enabled: item?.enabled ?? true,
    check: toCheckDraft(item?.healthCheck ?? null),
  }));
  const taken = all.filter(({ id }) => id !== item?.id).map(({ name }) => name);
  const nameError = judgeName(draft.name, taken);
  const check = parseCheckDraft(draft.check);
  const { name, enabled } = draft;
  return {
    draft,
    nameError,
    checkErrors: check.ok ? {} : check.errors,
    change: (changes: Partial<typeof draft>) => setDraft({ ...draft, ...changes }),
    /** Null while something is not valid. */
    body:
      name === "" || nameError !== null || !check.ok
        ? null
        : { name, enabled, machineIds: [...draft.machineIds], healthCheck: check.check },
  };
}

interface FieldsProps {
  readonly announcement: ReturnType<typeof useAnnouncementDraft>;
}

interface NameFieldProps extends FieldsProps {
  readonly refused: string | undefined;
  readonly placeholder: string;
}

export const NameField = ({ announcement: { draft, nameError, change }, refused, placeholder }: NameFieldProps) => (
  <TextField
    label="Name"
    error={nameError ?? refused}
    value={draft.name}
    onChange={(name) => change({ name })}
    placeholder={placeholder}
  />
);

interface MachineFieldsProps extends FieldsProps {
  readonly members: readonly Member[];
  readonly legend: string;
  readonly hint: string;
  /** What becomes of it while it is off. */
  readonly offHint: string;
}

export const MachineFields = ({ announcement, members, legend, hint, offHint }: MachineFieldsProps) => {
  const { draft, checkErrors, change } = announcement;
  return (
    <>
      <MachineChecklist
        legend={legend}
        hint={hint}
        members={members}
        chosen={draft.machineIds}
        onChange={(machineIds) => change({ machineIds })}
      />
      <CheckFields draft={draft.check} errors={checkErrors} onChange={(check) => change({ check })} />
      <SwitchField label="Enabled" hint={offHint} isOn={draft.enabled} onChange={(enabled) => change({ enabled })} />
    </>
  );
};
