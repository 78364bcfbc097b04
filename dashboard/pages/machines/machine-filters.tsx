import type { Mesh } from "#schema/mesh";
import { Select } from "../../components/field.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { classNames } from "../../lib/class-names.ts";
import { formatCount } from "../../lib/format.ts";
import type { MachineCounts } from "./machine-list-model.ts";
import type { MachineSearch, MachineState } from "./machine-search.ts";

export type ChangeSearch = (next: { readonly [Key in keyof MachineSearch]?: MachineSearch[Key] | undefined }) => void;

interface MachineFiltersProps {
  readonly search: MachineSearch;
  readonly counts: MachineCounts;
  readonly meshes: readonly Mesh[];
  /** Those that there are. */
  readonly tags: readonly string[];
  readonly onChange: ChangeSearch;
}

const STATES: readonly {
  readonly state: MachineState | undefined;
  readonly label: string;
  readonly count: keyof MachineCounts;
}[] = [
  { state: undefined, label: "All", count: "all" },
  { state: "online", label: "Online", count: "online" },
  { state: "offline", label: "Offline", count: "offline" },
  { state: "problems", label: "Problems", count: "problems" },
];

export const MachineFilters = ({ search, counts, meshes, tags, onChange }: MachineFiltersProps) => (
  <div className="flex flex-wrap items-center gap-2">
    <SearchBox label="Search machines" value={search.q ?? ""} onChange={(q) => onChange({ q: q || undefined })} />
    <fieldset className="flex max-w-full overflow-x-auto rounded-md border border-line bg-surface p-0.5">
      <legend className="sr-only">Show</legend>
      {STATES.map(({ state, label, count }) => (
        <button
          key={label}
          type="button"
          aria-pressed={search.state === state}
          onClick={() => onChange({ state })}
          className={classNames(
            "whitespace-nowrap rounded-sm px-2.5 py-1.5 text-muted hover:text-ink",
            "aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent",
          )}
        >
          {label} <span className="text-xs">{formatCount(counts[count])}</span>
        </button>
      ))}
    </fieldset>
    {meshes.length > 0 && (
      <Select
        aria-label="Mesh"
        className="sm:w-40"
        value={search.mesh ?? ""}
        onChange={(event) => onChange({ mesh: event.target.value || undefined })}
      >
        <option value="">All meshes</option>
        {meshes.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        <option value="none">In no mesh</option>
      </Select>
    )}
    {(tags.length > 0 || search.tag !== undefined) && (
      <Select
        aria-label="Tag"
        className="sm:w-40"
        value={search.tag ?? ""}
        onChange={(event) => onChange({ tag: event.target.value || undefined })}
      >
        <option value="">All tags</option>
        {[...new Set([...tags, ...(search.tag === undefined ? [] : [search.tag])])].map((tag) => (
          <option key={tag} value={tag}>
            {tag}
          </option>
        ))}
      </Select>
    )}
  </div>
);
