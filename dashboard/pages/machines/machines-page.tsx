import { useQueries } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { SearchX, Server } from "lucide-react";
import { useMemo } from "react";
import { listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { listMeshes } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { LIST_EVERY_MS, SLOW_EVERY_MS } from "../../api/pace.ts";
import { listQuery, useClient, useList } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { DataTable } from "../../components/table/data-table.tsx";
import { QueryView } from "../query-view.tsx";
import { AddMachineButton } from "./add/add-machine-button.tsx";
import { AddMachineDialog } from "./add/add-machine-dialog.tsx";
import { MACHINE_COLUMNS, MachineCard } from "./machine-columns.tsx";
import { type ChangeSearch, MachineFilters } from "./machine-filters.tsx";
import {
  countMachines,
  DEFAULT_MACHINE_SORT,
  type FactsByMachine,
  listTags,
  selectMachines,
  toFacts,
  toMachineRows,
} from "./machine-list-model.ts";
import type { MachineSearch } from "./machine-search.ts";
import { UpgradeNotice } from "./upgrade-notice.tsx";

const route = getRouteApi("/shell/machines");

function MachinesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change: ChangeSearch = (next) =>
    void navigate({ search: (now) => ({ ...now, ...next }) as MachineSearch, replace: true });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  const meshes = useList(listMeshes, {}, { everyMs: SLOW_EVERY_MS });
  const facts = useFacts(machines.isSuccess ? (meshes.data ?? []) : []);
  const rows = useMemo(() => toMachineRows(machines.data ?? [], facts), [machines.data, facts]);
  const shown = useMemo(() => selectMachines(rows, search), [rows, search]);
  const add = <AddMachineButton onPress={() => change({ add: "machine" })} />;
  return (
    <>
      <PageHeader title="Machines" below="Linux hosts with Becket's agent." actions={add} />
      <QueryView query={machines}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<Server />} title="No machine yet" action={add}>
              Run one command on a Linux machine, and it joins your mesh.
            </EmptyState>
          ) : (
            <div className="flex flex-col gap-3">
              <UpgradeNotice machines={all} />
              <MachineFilters
                search={search}
                counts={countMachines(rows)}
                meshes={meshes.data ?? []}
                tags={listTags(rows)}
                onChange={change}
              />
              {shown.length === 0 ? (
                <EmptyState
                  icon={<SearchX />}
                  title="No machine is like that"
                  action={
                    <Button onClick={() => change({ q: undefined, state: undefined, mesh: undefined, tag: undefined })}>
                      Show all
                    </Button>
                  }
                />
              ) : (
                <DataTable
                  label="Machines"
                  rows={shown}
                  columns={MACHINE_COLUMNS}
                  toKey={({ machine }) => machine.id}
                  card={MachineCard}
                  sort={search.sort ?? DEFAULT_MACHINE_SORT}
                  onSort={(sort) => change({ sort })}
                />
              )}
            </div>
          )
        }
      </QueryView>
      {search.add === "machine" && <AddMachineDialog onClose={() => change({ add: undefined })} />}
    </>
  );
}

/** NATs, and what machines could not apply, stand with their memberships: asked of each mesh, at leisure, and after the machines. */
function useFacts(meshes: readonly Mesh[]): FactsByMachine {
  const client = useClient();
  return useQueries({
    queries: meshes
      .filter(({ memberCount }) => memberCount > 0)
      .map(({ id }) => ({
        ...listQuery(client, listMembers, { params: { meshId: id } }),
        refetchInterval: SLOW_EVERY_MS,
      })),
    combine: combineFacts,
  });
}

const combineFacts = (results: readonly { readonly data?: Parameters<typeof toFacts>[0] | undefined }[]) =>
  toFacts(results.flatMap(({ data }) => data ?? []));

export const machinesPage = createLazyRoute("/shell/machines")({ component: MachinesPage });
