import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Plus, Waypoints } from "lucide-react";
import { useState } from "react";
import { listMembers } from "#schema/api/members";
import { createRoute, deleteRoute, listRoutes } from "#schema/api/routes";
import type { Route } from "#schema/route";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useCan } from "../../../api/session.ts";
import { useChange, useList } from "../../../api/use-api.ts";
import { Badge } from "../../../components/badge.tsx";
import { Button } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/confirm-dialog.tsx";
import { EmptyState } from "../../../components/states.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { DataTable } from "../../../components/table/data-table.tsx";
import { FormError, QueryView } from "../../query-view.tsx";
import { AnnouncementActions, AnnouncementName, Announcers, Check } from "./announcement-columns.tsx";
import { RouteDialog } from "./route-dialog.tsx";

const tab = getRouteApi("/shell/meshes/$meshId");

function RoutesTab() {
  const { meshId } = tab.useParams();
  const params = { meshId };
  const routes = useList(listRoutes, { params }, { everyMs: LIST_EVERY_MS });
  const members = useList(listMembers, { params });
  const canChange = useCan(createRoute);
  const [edited, setEdited] = useState<Route | "new" | null>(null);
  const [deleted, setDeleted] = useState<Route | null>(null);
  const names = new Map((members.data ?? []).map(({ machineId, name }) => [machineId as string, name as string]));
  const create = canChange && (
    <Button look="primary" onClick={() => setEdited("new")}>
      <Plus aria-hidden /> Create route
    </Button>
  );
  const actions = (route: Route) =>
    canChange && (
      <AnnouncementActions name={route.name} onEdit={() => setEdited(route)} onDelete={() => setDeleted(route)} />
    );
  return (
    <>
      <QueryView query={routes}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<Waypoints />} title="No routes" action={create}>
              A route lets the mesh reach a network behind one of its machines: an office LAN, a cloud's private
              network.
            </EmptyState>
          ) : (
            <div className="flex flex-col gap-3">
              <div className="flex justify-end">{create}</div>
              <DataTable
                label="Routes"
                rows={all}
                columns={toColumns(names, actions)}
                toKey={({ id }) => id}
                card={(route) => (
                  <div className="flex items-start gap-2">
                    <div className="flex min-w-0 flex-1 flex-col gap-1">
                      <AnnouncementName item={route} />
                      <PrefixList prefixes={route.prefixes} />
                      <Announcers item={route} names={names} />
                      <Check item={route} />
                    </div>
                    {actions(route)}
                  </div>
                )}
              />
            </div>
          )
        }
      </QueryView>
      <RouteDialog
        key={edited === null || edited === "new" ? "new" : edited.id}
        meshId={meshId}
        route={edited === "new" ? undefined : (edited ?? undefined)}
        routes={routes.data ?? []}
        members={members.data ?? []}
        isOpen={edited !== null}
        onClose={() => setEdited(null)}
      />
      {deleted && <DeleteRouteDialog route={deleted} onClose={() => setDeleted(null)} />}
    </>
  );
}

const toColumns = (names: ReadonlyMap<string, string>, actions: Column<Route>["cell"]): readonly Column<Route>[] => [
  { id: "name", header: "Name", track: "minmax(9rem, 1fr)", cell: (route) => <AnnouncementName item={route} /> },
  {
    id: "prefixes",
    header: "Prefixes",
    track: "minmax(10rem, 1.5fr)",
    cell: (route) => <PrefixList prefixes={route.prefixes} />,
  },
  {
    id: "machines",
    header: "Announced by",
    track: "minmax(9rem, 1.2fr)",
    cell: (route) => <Announcers item={route} names={names} />,
  },
  {
    id: "check",
    header: "Health check",
    track: "minmax(9rem, 1.2fr)",
    from: "lg",
    cell: (route) => <Check item={route} />,
  },
  {
    id: "how",
    header: "How",
    track: "8rem",
    from: "xl",
    cell: ({ isMasquerading, allowsDefaultRoute }) => (
      <span className="flex flex-wrap gap-1">
        {isMasquerading && <Badge>masquerade</Badge>}
        {allowsDefaultRoute && <Badge tone="warn">default route</Badge>}
      </span>
    ),
  },
  { id: "actions", header: "Actions", isHeaderHidden: true, track: "4.5rem", align: "end", cell: actions },
];

const SHOWN_PREFIXES = 3;
const PrefixList = ({ prefixes }: { readonly prefixes: readonly string[] }) => (
  <span className="flex flex-wrap gap-x-2 font-mono">
    {prefixes.slice(0, SHOWN_PREFIXES).map((prefix) => (
      <span key={prefix}>{prefix}</span>
    ))}
    {prefixes.length > SHOWN_PREFIXES && (
      <span className="font-sans text-muted" title={prefixes.slice(SHOWN_PREFIXES).join(", ")}>
        and {prefixes.length - SHOWN_PREFIXES} more
      </span>
    )}
  </span>
);

function DeleteRouteDialog({ route, onClose }: { readonly route: Route; readonly onClose: () => void }) {
  const remove = useChange(deleteRoute, [listRoutes.id]);
  return (
    <ConfirmDialog
      title={`Delete the route ${route.name}?`}
      isOpen
      onClose={onClose}
      verb="Delete route"
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate({ params: { meshId: route.meshId, routeId: route.id } }, { onSuccess: onClose })}
    >
      <p>The mesh no longer reaches {route.prefixes.join(", ")} by it, at once.</p>
      <FormError error={remove.error} />
    </ConfirmDialog>
  );
}

export const routesTab = createLazyRoute("/shell/meshes/$meshId/routes")({ component: RoutesTab });
