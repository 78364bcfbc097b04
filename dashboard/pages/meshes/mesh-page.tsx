import { createLazyRoute, getRouteApi, Outlet } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { listMachines } from "#schema/api/machines";
import { getMesh } from "#schema/api/meshes";
import { useLiveMeshes } from "../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useList, useReply } from "../../api/use-api.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { Notice } from "../../components/states.tsx";
import { StatusDot } from "../../components/status-dot.tsx";
import { TabLinks } from "../../components/tab-links.tsx";
import { formatQuantity } from "../../lib/format.ts";
import { BackLink, toMissing } from "../detail-parts.tsx";
import { QueryView } from "../query-view.tsx";
import { DefaultStar, ReflectorBadge } from "./mesh-columns.tsx";
import { toMeshHealths } from "./mesh-health-model.ts";
import { describeWarning } from "./warning-words.ts";

const route = getRouteApi("/shell/meshes/$meshId");

const LIST = { to: "/meshes", label: "Meshes" } as const;
const onError = toMissing({ ...LIST, code: "mesh_not_found", noun: "mesh", why: "It may have been deleted." });

function MeshPage() {
  const { meshId } = route.useParams();
  useLiveMeshes([meshId]);
  const mesh = useReply(getMesh, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  const params = { meshId };
  return (
    <QueryView query={mesh} onError={onError}>
      {(found) => {
        const [health] = toMeshHealths([found], machines.data ?? []);
        return (
          <>
            <PageHeader
              name={found.name}
              above={<BackLink {...LIST} />}
              title={
                <>
                  {found.name}
                  {found.isDefault && <DefaultStar />}
                  {found.routeReflectorMode && <ReflectorBadge />}
                </>
              }
              below={
                <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
                  <CopyText text={found.cidr} what="network" />
                  <CopyText text={found.cidr6} what="IPv6 network" />
                  <span className="flex items-center gap-2">
                    {health && <StatusDot tone={health.tone} />}
                    {health?.label}
                  </span>
                  <span>{formatQuantity(found.availableAddressCount, "address", "addresses")} free</span>
                </div>
              }
            />
            <TabLinks
              label={found.name}
              tabs={[
                { to: "/meshes/$meshId", params, label: "Machines" },
                { to: "/meshes/$meshId/map", params, label: "Map" },
                { to: "/meshes/$meshId/routes", params, label: "Routes" },
                { to: "/meshes/$meshId/vips", params, label: "VIPs" },
                { to: "/meshes/$meshId/events", params, label: "Events" },
                { to: "/meshes/$meshId/settings", params, label: "Settings" },
              ]}
            />
            {found.warnings.length > 0 && (
              <div className="mb-5 flex flex-col gap-2">
                {found.warnings.map((warning) => (
                  <Notice key={warning.code} tone="warn" icon={<TriangleAlert aria-hidden />}>
                    {describeWarning(warning, found)}
                  </Notice>
                ))}
              </div>
            )}
            <Outlet />
          </>
        );
      }}
    </QueryView>
  );
}

export const meshPage = createLazyRoute("/shell/meshes/$meshId")({ component: MeshPage });
