import { Link } from "@tanstack/react-router";
import { listMachineEvents } from "#schema/api/machine-links";
import { LIST_EVERY_MS } from "../../../api/pace.ts";
import { usePages } from "../../../api/use-api.ts";
import { Card } from "../../../components/layout.tsx";
import { QueryView } from "../../query-view.tsx";
import { LinkEventItem, toEventKey } from "../events/link-event-item.tsx";

const SHOWN = 5;

/** What happened to its links last; all of it is on the page of its own. */
export function RecentEventsCard({ machineId }: { readonly machineId: string }) {
  const { query } = usePages(listMachineEvents, { params: { machineId } }, { everyMs: LIST_EVERY_MS });
  const all = (
    <Link to="/machines/$machineId/events" params={{ machineId }} className="text-accent text-xs hover:underline">
      All events
    </Link>
  );
  return (
    <Card title="Recent events" actions={all} isFlush>
      <QueryView query={query} loading={<div className="h-24" />}>
        {(events) =>
          events.length === 0 ? (
            <p className="p-4 text-muted">None of its links came up, went down or changed yet.</p>
          ) : (
            <ol>
              {events.slice(0, SHOWN).map((event) => (
                <LinkEventItem key={toEventKey(event)} event={event} isShort />
              ))}
            </ol>
          )
        }
      </QueryView>
    </Card>
  );
}
