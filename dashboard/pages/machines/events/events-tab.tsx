import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { listMachineEvents } from "#schema/api/machine-links";
import { getMachine } from "#schema/api/machines";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { usePages, useReply } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { EmptyState } from "../../../components/states.tsx";
import { QueryView } from "../../query-view.tsx";
import { LinkEventItem } from "./link-event-item.tsx";

const route = getRouteApi("/shell/machines/$machineId");

function EventsTab() {
  const params = route.useParams();
  const { query, loadMore, isLoadingMore } = usePages(listMachineEvents, { params }, { everyMs: LIST_EVERY_MS });
  const machine = useReply(getMachine, { params });
  const meshNames = new Map(
    (machine.data?.meshes ?? []).map(({ meshId, meshName }) => [meshId as string, meshName as string]),
  );
  return (
    <QueryView query={query}>
      {(events) =>
        events.length === 0 ? (
          <EmptyState icon={<Activity />} title="Nothing happened yet">
            Links that come up, go down or change their way are told here, for 30 days.
          </EmptyState>
        ) : (
          <div className="flex flex-col gap-4">
            <ol className="rounded-lg border border-line bg-surface">
              {events.map((event) => (
                <LinkEventItem
                  key={`${event.at} ${event.meshId} ${event.peerId} ${event.kind}`}
                  event={event}
                  meshName={meshNames.get(event.meshId)}
                />
              ))}
            </ol>
            {loadMore && (
              <Button onClick={loadMore} isBusy={isLoadingMore} className="self-center">
                Show older
              </Button>
            )}
          </div>
        )
      }
    </QueryView>
  );
}

export const eventsTab = createLazyRoute("/shell/machines/$machineId/events")({ component: EventsTab });
