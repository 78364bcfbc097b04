import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { ScrollText, X } from "lucide-react";
import { AuditAction, listAuditEvents } from "#schema/api/audit-events";
import { listMeshes } from "#schema/api/meshes";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useList, usePages } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { Timeline } from "../../components/timeline.tsx";
import { QueryView } from "../query-view.tsx";
import { AuditEventItem } from "./audit-event-item.tsx";
import type { AuditSearch } from "./audit-search.ts";
import { describeAction } from "./audit-words.ts";
import { useSubjectNames } from "./use-subject-names.ts";

const route = getRouteApi("/shell/audit");

function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: { readonly [Key in keyof AuditSearch]?: AuditSearch[Key] | undefined }) =>
    void navigate({ search: (now) => ({ ...now, ...next }) as AuditSearch, replace: true });
  const meshes = useList(listMeshes, {});
  const names = useSubjectNames();
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
            Only {names.get(search.subjectId) ?? search.subjectId} <X aria-hidden />
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
                <AuditEventItem
                  key={event.id}
                  event={event}
                  names={names}
                  onSubject={(subjectId) => change({ subjectId })}
                />
              ))}
            </Timeline>
          )
        }
      </QueryView>
    </>
  );
}

export const auditPage = createLazyRoute("/shell/audit")({ component: AuditPage });
