import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { listMachineEvents } from "#schema/api/machine-links";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { usePages } from "../../../api/use-api.ts";
import { EmptyState } from "../../../components/states.tsx";
import { Timeline } from "../../../components/timeline.tsx";
import { QueryView } from "../../query-view.tsx";
import { useMeshNames } from "../use-mesh-names.ts";
import { LinkEventItem, toEventKey } from "./link-event-item.tsx";

const route = getRouteApi("/shell/machines/$machineId");

function EventsTab() {
  const params = route.useParams();
  const { query, ...more } = usePages(listMachineEvents, { params }, { everyMs: LIST_EVERY_MS });
  const meshNames = useMeshNames(params.machineId);
  return (
    <QueryView query={query}>
      {(events) =>
        events.length === 0 ? (
          <EmptyState icon={<Activity />} title="Nothing happened yet">
            Links that come up, go down or change their way are told here, for 30 days.
          </EmptyState>
        ) : (
          <Timeline {...more}>
            {events.map((event) => (
              <LinkEventItem key={toEventKey(event)} event={event} meshName={meshNames.get(event.meshId)} />
            ))}
          </Timeline>
        )
      }
    </QueryView>
  );
}

export const eventsTab = createLazyRoute("/shell/machines/$machineId/events")({ component: EventsTab });
