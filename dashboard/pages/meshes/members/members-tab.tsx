import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Plus, Server } from "lucide-react";
import { useState } from "react";
import { addMember, listMembers } from "#schema/api/members";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useCan } from "../../../api/session.ts";
import { useList } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { SearchBox } from "../../../components/search-box.tsx";
import { EmptyState } from "../../../components/states.tsx";
import { DataTable } from "../../../components/table/data-table.tsx";
import { AddMachineButton } from "../../machines/add/add-machine-button.tsx";
import { AddMachineDialog } from "../../machines/add/add-machine-dialog.tsx";
import { QueryView } from "../../query-view.tsx";
import { AddMemberDialog } from "./add-member-dialog.tsx";
import { toMemberColumns } from "./member-columns.tsx";
import { filterMembers, toMemberState } from "./member-model.ts";

const route = getRouteApi("/shell/meshes/$meshId");

function MembersTab() {
  const { meshId } = route.useParams();
  const members = useList(listMembers, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const canAdd = useCan(addMember);
  const [q, setQ] = useState("");
  const [open, setOpen] = useState<"assign" | "add" | null>(null);
  const assign = canAdd && (
    <Button onClick={() => setOpen("assign")}>
      <Plus aria-hidden /> Assign machine
    </Button>
  );
  const add = <AddMachineButton onPress={() => setOpen("add")} />;
  return (
    <>
      <QueryView query={members}>
        {(all) => {
          if (all.length === 0) {
            return (
              <EmptyState
                icon={<Server />}
                title="No machine in this mesh"
                action={
                  <>
                    {assign}
                    {add}
                  </>
                }
              >
                Assign a machine that is enrolled, or add a new one.
              </EmptyState>
            );
          }
          const rows = filterMembers(all, q).map((member) => ({ member, state: toMemberState(member) }));
          const { columns, card } = toMemberColumns(meshId);
          return (
            <div className="flex flex-col gap-3">
              <div className="flex flex-wrap items-center gap-2">
                <SearchBox label="Search machines" value={q} onChange={setQ} />
                <div className="ml-auto flex gap-2">
                  {assign}
                  {add}
                </div>
              </div>
              <DataTable
                label="Machines in this mesh"
                rows={rows}
                columns={columns}
                toKey={({ member }) => member.machineId}
                card={card}
              />
            </div>
          );
        }}
      </QueryView>
      {open === "assign" && <AddMemberDialog meshId={meshId} onClose={() => setOpen(null)} />}
      {open === "add" && <AddMachineDialog meshId={meshId} onClose={() => setOpen(null)} />}
    </>
  );
}

export const membersTab = createLazyRoute("/shell/meshes/$meshId/")({ component: MembersTab });
