// What can be done to a user: another role, blocked, let in again, removed.
import { type FormEvent, useState } from "react";
import type { Role } from "#schema/api/operation";
import { getMe } from "#schema/api/sign-in";
import { listSessions, listUsers, removeUser, type User, updateUser } from "#schema/api/users";
import { useChange } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { Choice } from "../../components/field.tsx";
import { useToast } from "../../components/toast.tsx";
import { FormError } from "../query-view.tsx";
import { ROLE_WORDS } from "../tokens/token-words.ts";

export interface UserDialogProps {
  readonly user: User;
  readonly isSelf: boolean;
  readonly onClose: () => void;
}

const MAKES_OLD = [listUsers.id, listSessions.id, getMe.id];
const ROLES = (["viewer", "admin", "owner"] as const).map((value) => ({ value, ...ROLE_WORDS[value] }));

export function RoleDialog({ user, isSelf, onClose }: UserDialogProps) {
  const update = useChange(updateUser, MAKES_OLD);
  const toast = useToast();
  const [role, setRole] = useState<Role>(user.role);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (role === user.role) return;
    const onSuccess = () => {
      toast(`${user.name} is ${ROLE_WORDS[role].label.toLowerCase()} now`);
      onClose();
    };
    update.mutate({ params: { userId: user.id }, body: { role } }, { onSuccess });
  };
  return (
    <Dialog title={`Role of ${user.name}`} description="It holds at once, in open pages too." isOpen onClose={onClose}>
      <form onSubmit={submit} className="contents">
        <DialogBody>
          <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
          {isSelf && role !== user.role && (
            <p className="text-muted">You lose access to this page; only another owner can give it back.</p>
          )}
          <FormError error={update.error} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={role === user.role} isBusy={update.isPending}>
            Change role
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}

export function BlockDialog({ user, isSelf, onClose }: UserDialogProps) {
  const update = useChange(updateUser, MAKES_OLD);
  const isBlocked = !user.isBlocked;
  return (
    <ConfirmDialog
      title={isBlocked ? `Block ${user.name}?` : `Let ${user.name} in again?`}
      isOpen
      onClose={onClose}
      verb={isBlocked ? "Block" : "Let in"}
      isBusy={update.isPending}
      onConfirm={() => update.mutate({ params: { userId: user.id }, body: { isBlocked } }, { onSuccess: onClose })}
    >
      <p>
        {isBlocked
          ? `${isSelf ? "You are" : "The user is"} signed out everywhere at once, and kept out until somebody undoes it.`
          : "The user can sign in again, with the role of before."}
      </p>
      <FormError error={update.error} />
    </ConfirmDialog>
  );
}

export function RemoveUserDialog({ user, isSelf, onClose }: UserDialogProps) {
  const remove = useChange(removeUser, MAKES_OLD);
  const toast = useToast();
  const onSuccess = () => {
    toast(`${user.name} is removed`);
    onClose();
  };
  return (
    <ConfirmDialog
      title={`Remove ${user.name}?`}
      isOpen
      onClose={onClose}
      name={user.name}
      verb="Remove user"
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate({ params: { userId: user.id } }, { onSuccess })}
    >
      <ul className="list-disc space-y-1 pl-5">
        <li>{isSelf ? "You are" : "The user is"} signed out everywhere at once; sign-in links end, too.</li>
        {user.knownBy === "oidc" && (
          <li>Whom the OpenID provider still lets in comes back as a new viewer. To keep somebody out, block them.</li>
        )}
        <li>API tokens and join tokens stay: they belong to nobody.</li>
      </ul>
      <FormError error={remove.error} />
    </ConfirmDialog>
  );
}
