// Every page's address. Pages are loaded when they are gone to; what the frame needs comes first.
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import type { ApiClient } from "./api/client.ts";
import { meQuery } from "./api/session.ts";
import { listQuery } from "./api/use-api.ts";
import { parseAuditSearch } from "./pages/audit/audit-search.ts";
import { parseMachineSearch } from "./pages/machines/machine-search.ts";
import { parsePeerSearch } from "./pages/machines/peers/peer-search.ts";
import { parseMapSearch } from "./pages/meshes/map/map-search.ts";
import { parseMeshSearch } from "./pages/meshes/mesh-search.ts";
import { parseRolloutSearch } from "./pages/rollouts/rollout-search.ts";
import { parseSessionSearch } from "./pages/sessions/session-search.ts";
import { NotFoundPage, PageFailure, PageLoading } from "./pages/shell/page-states.tsx";
import { Root } from "./pages/shell/root.tsx";
import { Shell } from "./pages/shell/shell.tsx";
import { parseSignInSearch } from "./pages/sign-in/sign-in-search.ts";

export interface RouterContext {
  readonly client: ApiClient;
  readonly queries: QueryClient;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Root });

const askForMe = ({ context: { queries, client } }: { readonly context: RouterContext }) =>
  void queries.prefetchQuery(meQuery(client));

/** The list is under way while the page's code is fetched and the session is looked up. */
const askForMachines = ({ context: { queries, client } }: { readonly context: RouterContext }) =>
  void queries.prefetchQuery(listQuery(client, listMachines, {}));
const askForMeshes = ({ context: { queries, client } }: { readonly context: RouterContext }) =>
  void queries.prefetchQuery(listQuery(client, listMeshes, {}));

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: parseSignInSearch,
}).lazy(() => import("./pages/sign-in/sign-in-page.tsx").then(({ signInPage }) => signInPage));

const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: "shell", component: Shell, loader: askForMe });

const homeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/machines" });
  },
});

const machinesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/machines",
  validateSearch: parseMachineSearch,
  loader: askForMachines,
}).lazy(() => import("./pages/machines/machines-page.tsx").then(({ machinesPage }) => machinesPage));

const machineRoute = createRoute({ getParentRoute: () => shellRoute, path: "/machines/$machineId" }).lazy(() =>
  import("./pages/machines/machine-page.tsx").then(({ machinePage }) => machinePage),
);
const machineOverviewRoute = createRoute({ getParentRoute: () => machineRoute, path: "/" }).lazy(() =>
  import("./pages/machines/overview/overview-tab.tsx").then(({ overviewTab }) => overviewTab),
);
const machineNetworkRoute = createRoute({ getParentRoute: () => machineRoute, path: "/network" }).lazy(() =>
  import("./pages/machines/network/network-tab.tsx").then(({ networkTab }) => networkTab),
);
const machinePeersRoute = createRoute({
  getParentRoute: () => machineRoute,
  path: "/peers",
  validateSearch: parsePeerSearch,
}).lazy(() => import("./pages/machines/peers/peers-tab.tsx").then(({ peersTab }) => peersTab));
const machineEndpointsRoute = createRoute({ getParentRoute: () => machineRoute, path: "/endpoints" }).lazy(() =>
  import("./pages/machines/endpoints/endpoints-tab.tsx").then(({ endpointsTab }) => endpointsTab),
);
const machineRoutingRoute = createRoute({ getParentRoute: () => machineRoute, path: "/routing" }).lazy(() =>
  import("./pages/machines/routing/routing-tab.tsx").then(({ routingTab }) => routingTab),
);
const machineEventsRoute = createRoute({ getParentRoute: () => machineRoute, path: "/events" }).lazy(() =>
  import("./pages/machines/events/events-tab.tsx").then(({ eventsTab }) => eventsTab),
);

const meshesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/meshes",
  validateSearch: parseMeshSearch,
  loader: askForMeshes,
}).lazy(() => import("./pages/meshes/meshes-page.tsx").then(({ meshesPage }) => meshesPage));

const meshRoute = createRoute({ getParentRoute: () => shellRoute, path: "/meshes/$meshId" }).lazy(() =>
  import("./pages/meshes/mesh-page.tsx").then(({ meshPage }) => meshPage),
);
const meshMembersRoute = createRoute({ getParentRoute: () => meshRoute, path: "/" }).lazy(() =>
  import("./pages/meshes/members/members-tab.tsx").then(({ membersTab }) => membersTab),
);
const meshRoutesRoute = createRoute({ getParentRoute: () => meshRoute, path: "/routes" }).lazy(() =>
  import("./pages/meshes/announcements/routes-tab.tsx").then(({ routesTab }) => routesTab),
);
const meshVipsRoute = createRoute({ getParentRoute: () => meshRoute, path: "/vips" }).lazy(() =>
  import("./pages/meshes/announcements/vips-tab.tsx").then(({ vipsTab }) => vipsTab),
);
const meshMapRoute = createRoute({
  getParentRoute: () => meshRoute,
  path: "/map",
  validateSearch: parseMapSearch,
}).lazy(() => import("./pages/meshes/map/map-tab.tsx").then(({ mapTab }) => mapTab));
const meshEventsRoute = createRoute({ getParentRoute: () => meshRoute, path: "/events" }).lazy(() =>
  import("./pages/meshes/events/mesh-events-tab.tsx").then(({ meshEventsTab }) => meshEventsTab),
);
const meshSettingsRoute = createRoute({ getParentRoute: () => meshRoute, path: "/settings" }).lazy(() =>
  import("./pages/meshes/settings/settings-tab.tsx").then(({ settingsTab }) => settingsTab),
);

const rolloutsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/rollouts",
  validateSearch: parseRolloutSearch,
}).lazy(() => import("./pages/rollouts/rollouts-page.tsx").then(({ rolloutsPage }) => rolloutsPage));
const joinTokensRoute = createRoute({ getParentRoute: () => shellRoute, path: "/join-tokens" }).lazy(() =>
  import("./pages/tokens/join-tokens-page.tsx").then(({ joinTokensPage }) => joinTokensPage),
);
const apiTokensRoute = createRoute({ getParentRoute: () => shellRoute, path: "/api-tokens" }).lazy(() =>
  import("./pages/tokens/api-tokens-page.tsx").then(({ apiTokensPage }) => apiTokensPage),
);
const policySetsRoute = createRoute({ getParentRoute: () => shellRoute, path: "/policy-sets" }).lazy(() =>
  import("./pages/policy-sets/policy-sets-page.tsx").then(({ policySetsPage }) => policySetsPage),
);
const policySetRoute = createRoute({ getParentRoute: () => shellRoute, path: "/policy-sets/$policySetId" }).lazy(() =>
  import("./pages/policy-sets/policy-set-page.tsx").then(({ policySetPage }) => policySetPage),
);
const usersRoute = createRoute({ getParentRoute: () => shellRoute, path: "/users" }).lazy(() =>
  import("./pages/users/users-page.tsx").then(({ usersPage }) => usersPage),
);
const sessionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/sessions",
  validateSearch: parseSessionSearch,
}).lazy(() => import("./pages/sessions/sessions-page.tsx").then(({ sessionsPage }) => sessionsPage));
const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/audit",
  validateSearch: parseAuditSearch,
}).lazy(() => import("./pages/audit/audit-page.tsx").then(({ auditPage }) => auditPage));

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    homeRoute,
    machinesRoute,
    machineRoute.addChildren([
      machineOverviewRoute,
      machineNetworkRoute,
      machinePeersRoute,
      machineEndpointsRoute,
      machineRoutingRoute,
      machineEventsRoute,
    ]),
    meshesRoute,
    meshRoute.addChildren([
      meshMembersRoute,
      meshRoutesRoute,
      meshVipsRoute,
      meshMapRoute,
      meshEventsRoute,
      meshSettingsRoute,
    ]),
    policySetsRoute,
    policySetRoute,
    rolloutsRoute,
    joinTokensRoute,
    apiTokensRoute,
    usersRoute,
    sessionsRoute,
    auditRoute,
  ]),
]);

export const createAppRouter = (context: RouterContext) =>
  createRouter({
    routeTree,
    context,
    defaultPreload: "intent",
    scrollRestoration: true,
    // Filters read as people would write them: `?q=web&state=offline`.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: renderSearch,
    defaultPendingComponent: PageLoading,
    defaultNotFoundComponent: NotFoundPage,
    defaultErrorComponent: PageFailure,
  });

function renderSearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
