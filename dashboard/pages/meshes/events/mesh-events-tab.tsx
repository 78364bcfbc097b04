import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { listAuditEvents } from "#schema/api/audit-events";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { usePages } from "../../../api/use-api.ts";
import { EmptyState } from "../../../components/states.tsx";
import { Timeline } from "../../../components/timeline.tsx";
import { AuditEventItem } from "../../audit/audit-event-item.tsx";
import { useSubjectNames } from "../../audit/use-subject-names.ts";
import { QueryView } from "../../query-view.tsx";

const route = getRouteApi("/shell/meshes/$meshId");

/** What was changed in this mesh; what happens to the links of a machine is on that machine's page. */
function MeshEventsTab() {
  const { meshId } = route.useParams();
  const navigate = useNavigate();
  const names = useSubjectNames();
  const { query, ...more } = usePages(listAuditEvents, { query: { meshId } }, { everyMs: LIST_EVERY_MS });
  const onSubject = (subjectId: string) => void navigate({ to: "/audit", search: { meshId, subjectId } });
  return (
    <QueryView query={query}>
      {(events) =>
        events.length === 0 ? (
          <EmptyState icon={<ScrollText />} title="Nothing happened yet">
            Changes of the mesh, its machines, routes and VIPs are told here.
          </EmptyState>
        ) : (
          <Timeline {...more}>
            {events.map((event) => (
              <AuditEventItem key={event.id} event={event} names={names} onSubject={onSubject} />
            ))}
          </Timeline>
        )
      }
    </QueryView>
  );
}

export const meshEventsTab = createLazyRoute("/shell/meshes/$meshId/events")({ component: MeshEventsTab });
