import { Link } from "@tanstack/react-router";
import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import { useLiveMeshes } from "../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useList } from "../../api/use-api.ts";
import { StatusDot } from "../../components/status-dot.tsx";
import { toMeshHealths } from "../meshes/mesh-health-model.ts";

const SHOWN = 6;

/** How the meshes are, in sight on every page. */
export function MeshHealthList() {
  const meshes = useList(listMeshes, {}, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  useLiveMeshes(meshes.data?.map(({ id }) => id) ?? [], { isAll: true });
  const healths = machines.data === undefined ? [] : toMeshHealths(meshes.data ?? [], machines.data);
  if (healths.length === 0) return <div className="flex-1" />;
  return (
    <section aria-labelledby="mesh-health" className="mt-6 min-h-0 flex-1 overflow-y-auto px-3">
      <h2 id="mesh-health" className="px-2.5 pb-1.5 font-medium text-faint text-xs">
        Machines online
      </h2>
      <ul>
        {healths.slice(0, SHOWN).map(({ meshId, name, online, total, tone, label }) => (
          <li key={meshId}>
            <Link
              to="/meshes/$meshId"
              params={{ meshId }}
              title={label}
              className="flex items-center gap-2.5 rounded-md px-2.5 py-1.5 text-muted hover:bg-sunken hover:text-ink"
            >
              <StatusDot tone={tone} />
              <span className="min-w-0 flex-1 truncate">{name}</span>
              <span className="text-xs">
                {online}/{total}
                <span className="sr-only"> machines online</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {healths.length > SHOWN && (
        <Link to="/meshes" className="block px-2.5 py-1.5 text-muted text-xs hover:text-ink">
          {healths.length - SHOWN} more
        </Link>
      )}
    </section>
  );
}
