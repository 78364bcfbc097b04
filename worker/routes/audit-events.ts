import { listAuditEvents } from "#schema/api/audit-events";
import { listEvents } from "../audit/list-events.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountAuditEvents(mount: Mount, services: Services): void {
  mount(listAuditEvents, ({ query }) => listEvents(services, query));
}
