import { PathKind, PeerConnectivity } from "#schema/path";
import { Select } from "../../../components/field.tsx";
import { SearchBox } from "../../../components/search-box.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import type { PeerSearch } from "./peer-search.ts";
import { PATH_WORDS, STATUS_WORDS } from "./peer-words.ts";
import type { PathCounts } from "./peers-model.ts";

export type ChangePeerSearch = (next: { readonly [Key in keyof PeerSearch]?: PeerSearch[Key] | undefined }) => void;

interface PeerFiltersProps {
  readonly search: PeerSearch;
  readonly counts: PathCounts;
  readonly onChange: ChangePeerSearch;
}

export const PeerFilters = ({ search, counts, onChange }: PeerFiltersProps) => (
  <div className="flex flex-wrap items-center gap-2">
    <SearchBox label="Search peers" value={search.q ?? ""} onChange={(q) => onChange({ q: q || undefined })} />
    <Select
      aria-label="State"
      className="w-auto! flex-1 sm:flex-none"
      value={search.status ?? ""}
      onChange={(event) => onChange({ status: PeerConnectivity.safeParse(event.target.value).data })}
    >
      <option value="">Any state</option>
      {PeerConnectivity.options.map((status) => (
        <option key={status} value={status}>
          {STATUS_WORDS[status].label}
        </option>
      ))}
    </Select>
    <Select
      aria-label="Path"
      className="w-auto! flex-1 sm:flex-none"
      value={search.path ?? ""}
      onChange={(event) => onChange({ path: PathKind.safeParse(event.target.value).data })}
    >
      <option value="">Any path</option>
      {PathKind.options.map((path) => (
        <option key={path} value={path}>
          {PATH_WORDS[path].label}
        </option>
      ))}
    </Select>
    <p className="flex flex-wrap gap-x-4 gap-y-1 text-muted text-xs sm:ml-auto">
      {PathKind.options
        .filter((path) => counts[path] > 0)
        .map((path) => (
          <span key={path} className="inline-flex items-center gap-1.5">
            <StatusDot tone={PATH_WORDS[path].tone} /> {counts[path]} {PATH_WORDS[path].label}
          </span>
        ))}
    </p>
  </div>
);
