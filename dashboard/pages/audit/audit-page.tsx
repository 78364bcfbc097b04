import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { ScrollText, X } from "lucide-react";
import { AuditAction, type AuditEvent, listAuditEvents } from "#schema/api/audit-events";
import { listMeshes } from "#schema/api/meshes";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useList, usePages } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { CopyText } from "../../components/copy-text.tsx";
import { Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { Timeline, TimelineAge } from "../../components/timeline.tsx";
import { QueryView } from "../query-view.tsx";
import type { AuditSearch } from "./audit-search.ts";
import { describeAction, describeDetails, toSubjectName } from "./audit-words.ts";

const route = getRouteApi("/shell/audit");

function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: { readonly [Key in keyof AuditSearch]?: AuditSearch[Key] | undefined }) =>
    void navigate({ search: (now) => ({ ...now, ...next }) as AuditSearch, replace: true });
  const meshes = useList(listMeshes, {});
  const { query, ...more } = usePages(
    listAuditEvents,
    { query: search },
    { everyMs: LIST_EVERY_MS, keepsPrevious: true },
  );
  const isFiltered = Object.keys(search).length > 0;
  const clear = () => change({ action: undefined, meshId: undefined, subjectId: undefined });
  return (
    <>
      <PageHeader title="Audit" below="Who changed what, and when." />
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Select
          aria-label="What happened"
          className="sm:w-56"
          value={search.action ?? ""}
          onChange={(event) => change({ action: AuditAction.safeParse(event.target.value).data })}
        >
          <option value="">Everything</option>
          {AuditAction.options.map((action) => (
            <option key={action} value={action}>
              {describeAction(action)}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Mesh"
          className="sm:w-48"
          value={search.meshId ?? ""}
          onChange={(event) => change({ meshId: event.target.value || undefined })}
        >
          <option value="">All meshes</option>
          {(meshes.data ?? []).map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
        {search.subjectId && (
          <Button onClick={() => change({ subjectId: undefined })}>
            Only {search.subjectId} <X aria-hidden />
          </Button>
        )}
      </div>
      <QueryView query={query}>
        {(events) =>
          events.length === 0 ? (
            <EmptyState
              icon={<ScrollText />}
              title={isFiltered ? "Nothing like that happened" : "Nothing happened yet"}
              action={isFiltered && <Button onClick={clear}>Show everything</Button>}
            />
          ) : (
            <Timeline {...more}>
              {events.map((event) => (
                <Event key={event.id} event={event} onSubject={(subjectId) => change({ subjectId })} />
              ))}
            </Timeline>
          )
        }
      </QueryView>
    </>
  );
}

interface EventProps {
  readonly event: AuditEvent;
  readonly onSubject: (subjectId: string) => void;
}

function Event({ event, onSubject }: EventProps) {
  const { action, actor, at, requestId, subjectId } = event;
  const details = describeDetails(event);
  return (
    <li className="flex gap-3 px-4 py-3 not-first:border-t">
      <div className="min-w-0 flex-1">
        <p>
          <span className="font-medium">{describeAction(action)}</span>{" "}
          <button
            type="button"
            title="Only what happened to this"
            onClick={() => onSubject(subjectId)}
            className="max-w-full break-all text-accent hover:underline"
          >
            {toSubjectName(event) ?? subjectId}
          </button>{" "}
          <span className="text-muted">by {actor.name}</span>
        </p>
        {details && <p className="mt-0.5 break-words font-mono text-muted text-xs">{details}</p>}
        <p className="mt-0.5 text-faint text-xs">
          <CopyText text={requestId} what="request id" />
        </p>
      </div>
      <TimelineAge at={at} />
    </li>
  );
}

export const auditPage = createLazyRoute("/shell/audit")({ component: AuditPage });
