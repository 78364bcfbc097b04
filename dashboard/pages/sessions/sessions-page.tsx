import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { MonitorSmartphone } from "lucide-react";
import { useState } from "react";
import { getMe } from "#schema/api/sign-in";
import { listSessions, listUsers, revokeSession, type Session } from "#schema/api/users";
import { UserId } from "#schema/ids";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useCan, useSignedIn } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { DataTable } from "../../components/table/data-table.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { QueryView } from "../query-view.tsx";
import { toSessionColumns } from "./session-columns.tsx";
import { describeBrowser } from "./session-words.ts";

const route = getRouteApi("/shell/sessions");

function SessionsPage() {
  const { userId } = route.useSearch();
  const me = useSignedIn();
  const sessions = useList(listSessions, { query: userId === undefined ? {} : { userId } }, { everyMs: LIST_EVERY_MS });
  const [revoked, setRevoked] = useState<Session | null>(null);
  const { columns, card } = toSessionColumns(setRevoked);
  const isOwn = userId === undefined || userId === me.user?.id;
  return (
    <>
      <PageHeader
        title="Sessions"
        below={isOwn ? "The browsers that you are signed in with." : "The browsers that somebody is signed in with."}
      />
      <div className="flex flex-col gap-3">
        <UserChoice userId={userId} />
        <QueryView query={sessions}>
          {(all) =>
            all.length === 0 ? (
              <EmptyState icon={<MonitorSmartphone />} title="No session">
                {isOwn && me.user === null
                  ? "You came in by an API token, which has no session: it is good until it ends or is revoked."
                  : "Nobody is signed in as this user. Sessions end after a day without use."}
              </EmptyState>
            ) : (
              <DataTable label="Sessions" rows={all} columns={columns} toKey={({ id }) => id} card={card} />
            )
          }
        </QueryView>
      </div>
      {revoked && <RevokeDialog session={revoked} onClose={() => setRevoked(null)} />}
    </>
  );
}

/** Owners see anybody's. */
function UserChoice({ userId }: { readonly userId: UserId | undefined }) {
  const navigate = route.useNavigate();
  const { user: self } = useSignedIn();
  const canSeeAll = useCan(listUsers);
  const users = useList(listUsers, {}, { enabled: canSeeAll });
  if (!canSeeAll) return null;
  const others = (users.data ?? []).filter(({ id }) => id !== self?.id);
  const choose = (text: string) => {
    const chosen = UserId.safeParse(text);
    void navigate({ search: chosen.success ? { userId: chosen.data } : {}, replace: true });
  };
  return (
    <Select
      aria-label="Whose sessions"
      className="sm:w-72"
      value={userId === undefined || userId === self?.id ? "" : userId}
      onChange={(event) => choose(event.target.value)}
    >
      <option value="">Your own</option>
      {others.map(({ id, name, email }) => (
        <option key={id} value={id}>
          {email === null ? name : `${name} (${email})`}
        </option>
      ))}
    </Select>
  );
}

const RevokeDialog = ({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) => (
  <ConfirmChange
    operation={revokeSession}
    input={{ params: { sessionId: session.id } }}
    makesOld={session.isCurrent ? [getMe.id] : [listSessions.id]}
    title={session.isCurrent ? "Sign out here?" : `End the session of ${describeBrowser(session.userAgent)}?`}
    verb={session.isCurrent ? "Sign out" : "End session"}
    onClose={onClose}
  >
    <p>
      {session.isCurrent
        ? "This is the session that you use right now."
        : "That browser is signed out at once; a page that is open there may be told of changes for ten minutes more. Signing in again is a matter of the OpenID provider or of a new link."}
    </p>
  </ConfirmChange>
);

export const sessionsPage = createLazyRoute("/shell/sessions")({ component: SessionsPage });
