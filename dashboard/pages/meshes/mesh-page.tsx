import { createLazyRoute, getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { ChevronLeft, TriangleAlert } from "lucide-react";
import { listMachines } from "#schema/api/machines";
import { getMesh } from "#schema/api/meshes";
import { isApiError } from "../../api/api-error.ts";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useList, useReply } from "../../api/use-api.ts";
import { buttonClass } from "../../components/button.tsx";
import { CopyText } from "../../components/copy-text.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState, Notice } from "../../components/states.tsx";
import { StatusDot } from "../../components/status-dot.tsx";
import { TabLinks } from "../../components/tab-links.tsx";
import { formatQuantity } from "../../lib/format.ts";
import { QueryView } from "../query-view.tsx";
import { DefaultStar, ReflectorBadge } from "./mesh-columns.tsx";
import { toMeshHealths } from "./mesh-health-model.ts";
import { describeWarning } from "./warning-words.ts";

const route = getRouteApi("/shell/meshes/$meshId");

function MeshPage() {
  const { meshId } = route.useParams();
  const mesh = useReply(getMesh, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  const params = { meshId };
  return (
    <QueryView query={mesh} onError={toMissing}>
      {(found) => {
        const [health] = toMeshHealths([found], machines.data ?? []);
        return (
          <>
            <PageHeader
              name={found.name}
              above={<BackLink />}
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

const BackLink = () => (
  <Link to="/meshes" className="inline-flex items-center gap-1 hover:text-ink">
    <ChevronLeft aria-hidden className="size-3.5" /> Meshes
  </Link>
);

/** Deleted, or a bad address: not a failure to try again. */
const toMissing = (error: Error) =>
  isApiError(error) && (error.code === "mesh_not_found" || error.code === "validation_failed") ? (
    <EmptyState
      icon={<ChevronLeft />}
      isWholePage
      title="There is no such mesh"
      action={
        <Link to="/meshes" className={buttonClass()}>
          All meshes
        </Link>
      }
    >
      It may have been deleted.
    </EmptyState>
  ) : undefined;

export const meshPage = createLazyRoute("/shell/meshes/$meshId")({ component: MeshPage });
