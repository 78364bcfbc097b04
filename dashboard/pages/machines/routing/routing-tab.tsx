import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Waypoints } from "lucide-react";
import { useState } from "react";
import { getMachineRib, listMachineAnnouncements } from "#schema/api/machine-routing";
import { useLiveTelemetry } from "../../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useReply } from "../../../api/use-api.ts";
import { SearchBox } from "../../../components/search-box.tsx";
import { EmptyState, Notice } from "../../../components/states.tsx";
import { DataTable } from "../../../components/table/data-table.tsx";
import { LiveView } from "../live-view.tsx";
import { useMeshNames } from "../use-mesh-names.ts";
import { AnnouncementsCard } from "./announcements-card.tsx";
import { RouteCard, toRouteColumns } from "./route-columns.tsx";
import { findRoutes } from "./routing-model.ts";

const tab = getRouteApi("/shell/machines/$machineId");

function RoutingTab() {
  const params = tab.useParams();
  const [q, setQ] = useState("");
  useLiveTelemetry(params.machineId);
  const rib = useReply(getMachineRib, { params }, { everyMs: LIST_EVERY_MS });
  const announcements = useReply(listMachineAnnouncements, { params }, { everyMs: LIST_EVERY_MS });
  const meshNames = useMeshNames(params.machineId);
  return (
    <LiveView query={rib}>
      {({ items, isTruncated, problems }) => (
        <div className="flex flex-col gap-5">
          {problems.map(({ meshId, message }) => (
            <Notice key={meshId} tone="warn">
              {meshNames.get(meshId) ?? meshId}: {message}
            </Notice>
          ))}
          {announcements.data && announcements.data.items.length > 0 && (
            <AnnouncementsCard announcements={announcements.data.items} meshNames={meshNames} />
          )}
          {items.length === 0 ? (
            <EmptyState icon={<Waypoints />} title="No routes">
              Nobody announces a network or a VIP into its meshes.
            </EmptyState>
          ) : (
            <section className="flex flex-col gap-3">
              <div className="flex flex-wrap items-center gap-3">
                <h2 className="font-semibold">Routes it knows of</h2>
                <SearchBox label="Search routes" value={q} onChange={setQ} />
              </div>
              {isTruncated && (
                <Notice tone="info">There are more than these; search in a mesh with fewer routes.</Notice>
              )}
              <DataTable
                label="Routes it knows of"
                rows={findRoutes(items, q)}
                columns={toRouteColumns(meshNames)}
                toKey={({ meshId, prefix, source, nextHop }) => `${meshId} ${prefix} ${source.protocol} ${nextHop}`}
                card={RouteCard}
              />
            </section>
          )}
        </div>
      )}
    </LiveView>
  );
}

export const routingTab = createLazyRoute("/shell/machines/$machineId/routing")({ component: RoutingTab });
