import { useState } from "react";
import type { Member } from "#schema/machine";
import { SearchBox } from "../../../components/search-box.tsx";
import { filterMembers } from "../members/member-model.ts";

interface MachineChecklistProps {
  readonly legend: string;
  readonly hint: string;
  readonly members: readonly Member[];
  readonly chosen: readonly string[];
  readonly onChange: (machineIds: readonly string[]) => void;
}

const SEARCH_FROM = 8;

export function MachineChecklist({ legend, hint, members, chosen, onChange }: MachineChecklistProps) {
  const [q, setQ] = useState("");
  const shown = filterMembers(members, q);
  const toggle = (id: string) =>
    onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1.5 font-medium">
        {legend} {chosen.length > 0 && <span className="font-normal text-muted">({chosen.length})</span>}
      </legend>
      {members.length > SEARCH_FROM && <SearchBox label="Search machines" value={q} onChange={setQ} />}
      <div className="max-h-44 overflow-y-auto rounded-md border border-line">
        {shown.length === 0 && (
          <p className="px-3 py-2 text-muted">
            {members.length === 0 ? "The mesh has no machine yet." : "None is like that."}
          </p>
        )}
        {shown.map(({ machineId, name, address }) => (
          <label key={machineId} className="flex items-center gap-3 px-3 py-2 hover:bg-sunken">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={chosen.includes(machineId)}
              onChange={() => toggle(machineId)}
            />
            <span className="min-w-0 flex-1 truncate">{name}</span>
            <span className="font-mono text-muted text-xs">{address}</span>
          </label>
        ))}
      </div>
      <p className="text-muted text-xs">{hint}</p>
    </fieldset>
  );
}
