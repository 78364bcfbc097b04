import type { ReactNode } from "react";
import type { User } from "#schema/api/users";
import { Age } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { StatusDot } from "../../components/status-dot.tsx";
import { actionsColumn, type Column } from "../../components/table/columns.ts";
import { ROLE_WORDS } from "../tokens/token-words.ts";
import { ORIGIN_WORDS, toUserState } from "./user-model.ts";

const Name = ({ user, isSelf }: { readonly user: User; readonly isSelf: boolean }) => (
  <span className="block min-w-0">
    <span className="flex items-center gap-2">
      <span className="truncate font-medium">{user.name}</span>
      {isSelf && <Badge tone="accent">you</Badge>}
    </span>
    {user.email && <span className="block truncate text-muted text-xs">{user.email}</span>}
  </span>
);

const State = ({ user }: { readonly user: User }) => {
  const { tone, label } = toUserState(user);
  return (
    <span className="flex items-center gap-2">
      <StatusDot tone={tone} />
      {label}
    </span>
  );
};

const LastSignIn = ({ at }: { readonly at: string | null }) => (
  <span className="text-muted">{at === null ? "never" : <Age at={at} />}</span>
);

/** @param actions the menu of a user */
export function toUserColumns(selfId: string | undefined, actions: (user: User) => ReactNode) {
  const columns: readonly Column<User>[] = [
    {
      id: "name",
      header: "Name",
      track: "minmax(12rem, 2fr)",
      cell: (user) => <Name user={user} isSelf={user.id === selfId} />,
    },
    { id: "role", header: "Role", track: "6rem", cell: ({ role }) => <Badge>{ROLE_WORDS[role].label}</Badge> },
    { id: "state", header: "State", track: "7rem", cell: (user) => <State user={user} /> },
    {
      id: "last",
      header: "Last sign-in",
      track: "minmax(7rem, 1fr)",
      cell: ({ lastSignInAt }) => <LastSignIn at={lastSignInAt} />,
    },
    {
      id: "origin",
      header: "Known by",
      track: "minmax(8rem, 1fr)",
      from: "lg",
      cell: ({ knownBy }) => <span className="text-muted">{ORIGIN_WORDS[knownBy]}</span>,
    },
    actionsColumn(actions, "2.25rem"),
  ];
  const card = (user: User) => (
    <div className="flex items-start justify-between gap-3">
      <div className="flex min-w-0 flex-col gap-1.5">
        <Name user={user} isSelf={user.id === selfId} />
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Badge>{ROLE_WORDS[user.role].label}</Badge>
          <State user={user} />
          <span className="text-muted">
            {user.lastSignInAt === null ? "never signed in" : ["signed in ", <Age key="age" at={user.lastSignInAt} />]}
          </span>
        </span>
      </div>
      {actions(user)}
    </div>
  );
  return { columns, card };
}
