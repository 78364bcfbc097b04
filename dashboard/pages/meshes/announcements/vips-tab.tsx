import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";
import { getMesh } from "#schema/api/meshes";
import { createVip, deleteVip, listVips } from "#schema/api/vips";
import type { Vip } from "#schema/vip";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useCan } from "../../../api/session.ts";
import { useList, useReply } from "../../../api/use-api.ts";
import { CopyText } from "../../../components/copy-text.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { ConfirmChange } from "../../form/form-dialog.tsx";
import { QueryView } from "../../query-view.tsx";
import { AnnouncementList } from "./announcement-list.tsx";
import { VipDialog } from "./vip-dialog.tsx";

const tab = getRouteApi("/shell/meshes/$meshId");

function VipsTab() {
  const { meshId } = tab.useParams();
  const mesh = useReply(getMesh, { params: { meshId } });
  const vips = useList(listVips, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const canChange = useCan(createVip);
  return (
    <QueryView query={vips}>
      {(all) => (
        <AnnouncementList
          meshId={meshId}
          items={all}
          label="VIPs"
          noun="VIP"
          canChange={canChange && mesh.data !== undefined}
          empty={EMPTY}
          what={[ADDRESS]}
          toWhat={ADDRESS.cell}
          by="Held by"
          toDialog={({ item, ...rest }) => mesh.data && <VipDialog mesh={mesh.data} vip={item} vips={all} {...rest} />}
          toDeletion={(vip, onClose) => <DeleteVipDialog vip={vip} onClose={onClose} />}
        />
      )}
    </QueryView>
  );
}

const EMPTY = {
  icon: <ArrowLeftRight />,
  title: "No virtual IPs",
  words:
    "A VIP is an address of the mesh that one of several machines holds. When its health check fails, another takes over.",
};

const ADDRESS: Column<Vip> = {
  id: "address",
  header: "Addresses",
  track: "minmax(12rem, 1fr)",
  cell: ({ address, address6 }) => (
    <span className="flex flex-col items-start">
      <CopyText text={address} what="address" />
      <CopyText text={address6} what="IPv6 address" className="text-muted text-xs" />
    </span>
  ),
};

const DeleteVipDialog = ({ vip, onClose }: { readonly vip: Vip; readonly onClose: () => void }) => (
  <ConfirmChange
    operation={deleteVip}
    input={{ params: { meshId: vip.meshId, vipId: vip.id } }}
    makesOld={[listVips.id]}
    title={`Delete the VIP ${vip.name}?`}
    verb="Delete VIP"
    onClose={onClose}
  >
    <p>Nobody answers at {vip.address} then. Machines do not get the address for 24 hours; another VIP can at once.</p>
  </ConfirmChange>
);

export const vipsTab = createLazyRoute("/shell/meshes/$meshId/vips")({ component: VipsTab });
