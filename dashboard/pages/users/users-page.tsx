import { createLazyRoute } from "@tanstack/react-router";
import { SearchX, UserPlus, Users } from "lucide-react";
import { useState } from "react";
import { listUsers, type User } from "#schema/api/users";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useSignedIn } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { EmptyState } from "../../components/states.tsx";
import { DataTable } from "../../components/table/data-table.tsx";
import { QueryView } from "../query-view.tsx";
import { SignInLinkDialog } from "./sign-in-link-dialog.tsx";
import { toUserColumns } from "./user-columns.tsx";
import { BlockDialog, RemoveUserDialog, RoleDialog } from "./user-dialogs.tsx";
import { type UserAction, UserMenuButton } from "./user-menu-button.tsx";
import { isLastOwner, selectUsers } from "./user-model.ts";

interface Open {
  readonly user: User;
  readonly action: UserAction;
}

function UsersPage() {
  const users = useList(listUsers, {}, { everyMs: LIST_EVERY_MS });
  const me = useSignedIn();
  const [q, setQ] = useState("");
  const [isInviting, setInviting] = useState(false);
  const [open, setOpen] = useState<Open | null>(null);
  const invite = (
    <Button look="primary" onClick={() => setInviting(true)}>
      <UserPlus aria-hidden /> Invite user
    </Button>
  );
  return (
    <>
      <PageHeader title="Users" below="Who may sign in, and what they may do." actions={invite} />
      <QueryView query={users}>
        {(all) => {
          if (all.length === 0) {
            return (
              <EmptyState icon={<Users />} title="No user" action={invite}>
                Whom the OpenID provider lets in appears here with the first sign-in. Others are invited by a link.
              </EmptyState>
            );
          }
          const rows = selectUsers(all, q);
          const { columns, card } = toUserColumns(me.user?.id, (user) => (
            <UserMenuButton
              user={user}
              isLastOwner={isLastOwner(user, all)}
              onChoose={(action) => setOpen({ user, action })}
            />
          ));
          return (
            <div className="flex flex-col gap-3">
              <SearchBox label="Search users" value={q} onChange={setQ} />
              {rows.length === 0 ? (
                <EmptyState
                  icon={<SearchX />}
                  title="No user is called that"
                  action={<Button onClick={() => setQ("")}>Show all</Button>}
                />
              ) : (
                <DataTable label="Users" rows={rows} columns={columns} toKey={({ id }) => id} card={card} />
              )}
            </div>
          );
        }}
      </QueryView>
      {isInviting && <SignInLinkDialog user={null} onClose={() => setInviting(false)} />}
      {open && <UserDialog {...open} isSelf={open.user.id === me.user?.id} onClose={() => setOpen(null)} />}
    </>
  );
}

interface UserDialogProps extends Open {
  readonly isSelf: boolean;
  readonly onClose: () => void;
}

function UserDialog({ action, ...rest }: UserDialogProps) {
  if (action === "role") return <RoleDialog {...rest} />;
  if (action === "link") return <SignInLinkDialog user={rest.user} onClose={rest.onClose} />;
  if (action === "remove") return <RemoveUserDialog {...rest} />;
  return <BlockDialog {...rest} />;
}

export const usersPage = createLazyRoute("/shell/users")({ component: UsersPage });
