import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { ArrowLeftRight, Plus } from "lucide-react";
import { useState } from "react";
import { listMembers } from "#schema/api/members";
import { getMesh } from "#schema/api/meshes";
import { createVip, deleteVip, listVips } from "#schema/api/vips";
import type { Vip } from "#schema/vip";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useCan } from "../../../api/session.ts";
import { useChange, useList, useReply } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/confirm-dialog.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { EmptyState } from "../../../components/states.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { DataTable } from "../../../components/table/data-table.tsx";
import { FormError, QueryView } from "../../query-view.tsx";
import { AnnouncementActions, AnnouncementName, Announcers, Check } from "./announcement-columns.tsx";
import { VipDialog } from "./vip-dialog.tsx";

const tab = getRouteApi("/shell/meshes/$meshId");

function VipsTab() {
  const { meshId } = tab.useParams();
  const params = { meshId };
  const mesh = useReply(getMesh, { params });
  const vips = useList(listVips, { params }, { everyMs: LIST_EVERY_MS });
  const members = useList(listMembers, { params });
  const canChange = useCan(createVip);
  const [edited, setEdited] = useState<Vip | "new" | null>(null);
  const [deleted, setDeleted] = useState<Vip | null>(null);
  const names = new Map((members.data ?? []).map(({ machineId, name }) => [machineId as string, name as string]));
  const create = canChange && (
    <Button look="primary" onClick={() => setEdited("new")}>
      <Plus aria-hidden /> Create VIP
    </Button>
  );
  const actions = (vip: Vip) =>
    canChange && <AnnouncementActions name={vip.name} onEdit={() => setEdited(vip)} onDelete={() => setDeleted(vip)} />;
  return (
    <>
      <QueryView query={vips}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<ArrowLeftRight />} title="No virtual IPs" action={create}>
              A VIP is an address of the mesh that one of several machines holds. When its health check fails, another
              takes over.
            </EmptyState>
          ) : (
            <div className="flex flex-col gap-3">
              <div className="flex justify-end">{create}</div>
              <DataTable
                label="VIPs"
                rows={all}
                columns={toColumns(names, actions)}
                toKey={({ id }) => id}
                card={(vip) => (
                  <div className="flex items-start gap-2">
                    <div className="flex min-w-0 flex-1 flex-col gap-1">
                      <AnnouncementName item={vip} />
                      <CopyText text={vip.address} what="address" />
                      <Announcers item={vip} names={names} />
                      <Check item={vip} />
                    </div>
                    {actions(vip)}
                  </div>
                )}
              />
            </div>
          )
        }
      </QueryView>
      {mesh.data && (
        <VipDialog
          key={edited === null || edited === "new" ? "new" : edited.id}
          mesh={mesh.data}
          vip={edited === "new" ? undefined : (edited ?? undefined)}
          vips={vips.data ?? []}
          members={members.data ?? []}
          isOpen={edited !== null}
          onClose={() => setEdited(null)}
        />
      )}
      {deleted && <DeleteVipDialog vip={deleted} onClose={() => setDeleted(null)} />}
    </>
  );
}

const toColumns = (names: ReadonlyMap<string, string>, actions: Column<Vip>["cell"]): readonly Column<Vip>[] => [
  { id: "name", header: "Name", track: "minmax(9rem, 1fr)", cell: (vip) => <AnnouncementName item={vip} /> },
  {
    id: "address",
    header: "Address",
    track: "minmax(8rem, 1fr)",
    cell: (vip) => <CopyText text={vip.address} what="address" />,
  },
  {
    id: "address6",
    header: "IPv6",
    track: "minmax(11rem, 1.2fr)",
    from: "xl",
    cell: (vip) => <CopyText text={vip.address6} what="IPv6 address" />,
  },
  {
    id: "machines",
    header: "Held by one of",
    track: "minmax(9rem, 1.2fr)",
    cell: (vip) => <Announcers item={vip} names={names} />,
  },
  {
    id: "check",
    header: "Health check",
    track: "minmax(9rem, 1.2fr)",
    from: "lg",
    cell: (vip) => <Check item={vip} />,
  },
  { id: "actions", header: "Actions", isHeaderHidden: true, track: "4.5rem", align: "end", cell: actions },
];

function DeleteVipDialog({ vip, onClose }: { readonly vip: Vip; readonly onClose: () => void }) {
  const remove = useChange(deleteVip, [listVips.id]);
  return (
    <ConfirmDialog
      title={`Delete the VIP ${vip.name}?`}
      isOpen
      onClose={onClose}
      verb="Delete VIP"
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate({ params: { meshId: vip.meshId, vipId: vip.id } }, { onSuccess: onClose })}
    >
      <p>
        Nobody answers at {vip.address} then. Machines do not get the address for 24 hours; another VIP can at once.
      </p>
      <FormError error={remove.error} />
    </ConfirmDialog>
  );
}

export const vipsTab = createLazyRoute("/shell/meshes/$meshId/vips")({ component: VipsTab });
