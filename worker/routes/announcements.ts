import * as routes from "#schema/api/routes";
import * as vips from "#schema/api/vips";
import { deleteAnnouncement, listAnnouncements } from "../announcements/read-announcements.ts";
import { createRoute, readRoute, routesOf, updateRoute } from "../announcements/routes.ts";
import { createVip, readVip, updateVip, vipsOf } from "../announcements/vips.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountAnnouncements(mount: Mount, services: Services): void {
  mount(routes.listRoutes, ({ params: { meshId }, query }) =>
    listAnnouncements(services, { meshId, query }, routesOf(meshId)),
  );
  mount(routes.createRoute, ({ params, body, cause }) => createRoute(services, { ...params, request: body, cause }));
  mount(routes.getRoute, ({ params }) => readRoute(services, params));
  mount(routes.updateRoute, ({ params, body, cause }) => updateRoute(services, { ...params, request: body, cause }));
  mount(routes.deleteRoute, ({ params: { meshId, routeId }, cause }) =>
    deleteAnnouncement(services, { meshId, id: routeId, cause }, "route_not_found"),
  );

  mount(vips.listVips, ({ params: { meshId }, query }) =>
    listAnnouncements(services, { meshId, query }, vipsOf(meshId)),
  );
  mount(vips.createVip, ({ params, body, cause }) => createVip(services, { ...params, request: body, cause }));
  mount(vips.getVip, ({ params }) => readVip(services, params));
  mount(vips.updateVip, ({ params, body, cause }) => updateVip(services, { ...params, request: body, cause }));
  mount(vips.deleteVip, ({ params: { meshId, vipId }, cause }) =>
    deleteAnnouncement(services, { meshId, id: vipId, cause }, "vip_not_found"),
  );
}
