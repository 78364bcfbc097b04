import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { Network, Plus, SearchX } from "lucide-react";
import { listMachines } from "#schema/api/machines";
import { createMesh, listMeshes } from "#schema/api/meshes";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useCan } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { EmptyState } from "../../components/states.tsx";
import { DataTable } from "../../components/table/data-table.tsx";
import { QueryView } from "../query-view.tsx";
import { CreateMeshDialog } from "./create/create-mesh-dialog.tsx";
import { MESH_COLUMNS, MeshCard } from "./mesh-columns.tsx";
import { toMeshHealths } from "./mesh-health-model.ts";
import { DEFAULT_MESH_SORT, toMeshRows } from "./mesh-list-model.ts";
import type { MeshSearch } from "./mesh-search.ts";

const route = getRouteApi("/shell/meshes");

function MeshesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: Partial<Record<keyof MeshSearch, string | undefined>>) =>
    void navigate({ search: (now) => ({ ...now, ...next }) as MeshSearch, replace: true });
  const canCreate = useCan(createMesh);
  const meshes = useList(listMeshes, {}, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  const create = canCreate && (
    <Button look="primary" onClick={() => change({ create: "mesh" })}>
      <Plus aria-hidden /> Create mesh
    </Button>
  );
  return (
    <>
      <PageHeader title="Meshes" below="Private networks. A machine can be in several." actions={create} />
      <QueryView query={meshes}>
        {(all) => {
          if (all.length === 0) {
            return (
              <EmptyState icon={<Network />} title="No mesh yet" action={create}>
                A mesh is a private network: give it a name and an address range, then let machines join.
              </EmptyState>
            );
          }
          const rows = toMeshRows(all, toMeshHealths(all, machines.data ?? []), search);
          return (
            <div className="flex flex-col gap-3">
              <div className="flex">
                <SearchBox
                  label="Search meshes"
                  value={search.q ?? ""}
                  onChange={(q) => change({ q: q || undefined })}
                />
              </div>
              {rows.length === 0 ? (
                <EmptyState icon={<SearchX />} title="No mesh is like that">
                  <Link to="/meshes" className="text-accent underline">
                    Show all
                  </Link>
                </EmptyState>
              ) : (
                <DataTable
                  label="Meshes"
                  rows={rows}
                  columns={MESH_COLUMNS}
                  toKey={({ mesh }) => mesh.id}
                  card={MeshCard}
                  sort={search.sort ?? DEFAULT_MESH_SORT}
                  onSort={(sort) => change({ sort })}
                />
              )}
            </div>
          );
        }}
      </QueryView>
      {meshes.data && canCreate && search.create === "mesh" && (
        <CreateMeshDialog onClose={() => change({ create: undefined })} meshes={meshes.data} />
      )}
    </>
  );
}

export const meshesPage = createLazyRoute("/shell/meshes")({ component: MeshesPage });
