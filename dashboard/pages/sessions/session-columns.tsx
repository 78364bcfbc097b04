import type { Session } from "#schema/api/users";
import { Age, Until } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ageColumn } from "../../components/table/age-column.tsx";
import { actionsColumn, type Column } from "../../components/table/columns.ts";
import { describeBrowser } from "./session-words.ts";

const SIGNED_IN_BY: Readonly<Record<Session["signedInBy"], string>> = {
  oidc: "OpenID provider",
  link: "sign-in link",
};

const Browser = ({ session: { userAgent, isCurrent } }: { readonly session: Session }) => (
  <span className="flex min-w-0 items-center gap-2">
    <span className="truncate font-medium" title={userAgent ?? undefined}>
      {describeBrowser(userAgent)}
    </span>
    {isCurrent && <Badge tone="accent">this one</Badge>}
  </span>
);

export function toSessionColumns(onRevoke: (session: Session) => void) {
  const action = (session: Session) => (
    <Button
      size="small"
      onClick={() => onRevoke(session)}
      aria-label={session.isCurrent ? "Sign out here" : `End the session of ${describeBrowser(session.userAgent)}`}
    >
      {session.isCurrent ? "Sign out" : "End"}
    </Button>
  );
  const columns: readonly Column<Session>[] = [
    {
      id: "browser",
      header: "Browser",
      track: "minmax(12rem, 2fr)",
      cell: (session) => <Browser session={session} />,
    },
    {
      id: "by",
      header: "Signed in by",
      track: "minmax(8rem, 1fr)",
      cell: ({ signedInBy }) => SIGNED_IN_BY[signedInBy],
    },
    ageColumn({ id: "since", header: "Signed in", from: "lg", toMoment: ({ createdAt }) => createdAt }),
    ageColumn({ id: "used", header: "Last used", toMoment: ({ lastUsedAt }) => lastUsedAt }),
    {
      id: "ends",
      header: "Ends at the latest",
      track: "9rem",
      cell: ({ expiresAt }) => (
        <span className="text-muted">
          <Until at={expiresAt} />
        </span>
      ),
    },
    actionsColumn(action),
  ];
  const card = (session: Session) => (
    <div className="flex items-center justify-between gap-3">
      <div className="flex min-w-0 flex-col gap-1">
        <Browser session={session} />
        <span className="text-muted text-xs">
          by {SIGNED_IN_BY[session.signedInBy]}, used <Age at={session.lastUsedAt} />
        </span>
      </div>
      {action(session)}
    </div>
  );
  return { columns, card };
}
