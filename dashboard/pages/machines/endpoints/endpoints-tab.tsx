import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { MapPin } from "lucide-react";
import { listMachineEndpoints } from "#schema/api/machine-links";
import { listMachines } from "#schema/api/machines";
import { useLiveTelemetry } from "../../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useList, useReply } from "../../../api/use-api.ts";
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { EmptyState } from "../../../components/states.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { DataTable } from "../../../components/table/data-table.tsx";
import { LiveView } from "../live-view.tsx";
import { useMeshNames } from "../use-mesh-names.ts";
import { ENDPOINT_WORDS } from "./endpoint-words.ts";
import { type EndpointRow, toEndpointRows } from "./endpoints-model.ts";

const route = getRouteApi("/shell/machines/$machineId");

function EndpointsTab() {
  const params = route.useParams();
  useLiveTelemetry(params.machineId);
  const endpoints = useReply(listMachineEndpoints, { params }, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {});
  const meshNames = useMeshNames(params.machineId);
  const machineNames = new Map((machines.data ?? []).map(({ id, name }) => [id as string, name as string]));
  const nameObserver = (row: EndpointRow) =>
    row.observedBy === null ? "the machine itself" : (machineNames.get(row.observedBy) ?? row.observedBy);
  return (
    <LiveView query={endpoints}>
      {({ items }) =>
        items.length === 0 ? (
          <EmptyState icon={<MapPin />} title="No endpoints">
            The machine is in no mesh, or has no network.
          </EmptyState>
        ) : (
          <DataTable
            label="Endpoints"
            rows={toEndpointRows(items, meshNames)}
            columns={toColumns(nameObserver)}
            toKey={(row) => `${row.type} ${row.address} ${row.observedBy}`}
            card={(row) => (
              <div className="flex flex-col gap-1">
                <div className="flex items-center justify-between gap-3">
                  <CopyText text={row.address} what="endpoint" />
                  <Type row={row} />
                </div>
                <div className="flex justify-between gap-3 text-muted text-xs">
                  <span className="min-w-0 truncate">by {nameObserver(row)}</span>
                  <Age at={row.lastSeen} />
                </div>
              </div>
            )}
          />
        )
      }
    </LiveView>
  );
}

const Type = ({ row }: { readonly row: EndpointRow }) => {
  const { label, hint, tone } = ENDPOINT_WORDS[row.type];
  return (
    <Badge tone={tone} title={hint}>
      {label}
    </Badge>
  );
};

const toColumns = (nameObserver: (row: EndpointRow) => string): readonly Column<EndpointRow>[] => [
  {
    id: "address",
    header: "Endpoint",
    track: "minmax(12rem, 1.6fr)",
    cell: ({ address }) => <CopyText text={address} what="endpoint" />,
  },
  { id: "type", header: "Type", track: "8rem", cell: (row) => <Type row={row} /> },
  {
    id: "by",
    header: "Observed by",
    track: "minmax(9rem, 1.2fr)",
    cell: (row) => <span className="block truncate">{nameObserver(row)}</span>,
  },
  {
    id: "meshes",
    header: "Mesh",
    track: "minmax(6rem, 1fr)",
    from: "lg",
    cell: ({ meshNames }) => <span className="text-muted">{meshNames.join(", ")}</span>,
  },
  { id: "first", header: "First seen", track: "7rem", from: "lg", cell: ({ firstSeen }) => <Age at={firstSeen} /> },
  { id: "last", header: "Last seen", track: "7rem", cell: ({ lastSeen }) => <Age at={lastSeen} /> },
];

export const endpointsTab = createLazyRoute("/shell/machines/$machineId/endpoints")({ component: EndpointsTab });
