import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Waypoints } from "lucide-react";
import { createRoute, deleteRoute, listRoutes } from "#schema/api/routes";
import type { Route } from "#schema/route";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { useCan } from "../../../api/session.ts";
import { useList } from "../../../api/use-api.ts";
import { Badge } from "../../../components/badge.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { ConfirmChange } from "../../form/form-dialog.tsx";
import { QueryView } from "../../query-view.tsx";
import { AnnouncementList } from "./announcement-list.tsx";
import { RouteDialog } from "./route-dialog.tsx";

const tab = getRouteApi("/shell/meshes/$meshId");

function RoutesTab() {
  const { meshId } = tab.useParams();
  const routes = useList(listRoutes, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const canChange = useCan(createRoute);
  return (
    <QueryView query={routes}>
      {(all) => (
        <AnnouncementList
          meshId={meshId}
          items={all}
          label="Routes"
          noun="route"
          canChange={canChange}
          empty={EMPTY}
          what={[PREFIXES]}
          toWhat={PREFIXES.cell}
          by="Announced by"
          more={[HOW]}
          toDialog={({ item, ...rest }) => <RouteDialog meshId={meshId} route={item} routes={all} {...rest} />}
          toDeletion={(route, onClose) => <DeleteRouteDialog route={route} onClose={onClose} />}
        />
      )}
    </QueryView>
  );
}

const EMPTY = {
  icon: <Waypoints />,
  title: "No routes",
  words: "A route lets the mesh reach a network behind one of its machines: an office LAN, a cloud's private network.",
};

const SHOWN_PREFIXES = 3;

const PREFIXES: Column<Route> = {
  id: "prefixes",
  header: "Prefixes",
  track: "minmax(10rem, 1.5fr)",
  cell: ({ prefixes }) => (
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
  ),
};

const HOW: Column<Route> = {
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
};

const DeleteRouteDialog = ({ route, onClose }: { readonly route: Route; readonly onClose: () => void }) => (
  <ConfirmChange
    operation={deleteRoute}
    input={{ params: { meshId: route.meshId, routeId: route.id } }}
    makesOld={[listRoutes.id]}
    title={`Delete the route ${route.name}?`}
    verb="Delete route"
    onClose={onClose}
  >
    <p>The mesh no longer reaches {route.prefixes.join(", ")} by it, at once.</p>
  </ConfirmChange>
);

export const routesTab = createLazyRoute("/shell/meshes/$meshId/routes")({ component: RoutesTab });
