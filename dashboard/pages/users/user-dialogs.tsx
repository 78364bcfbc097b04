// What can be done to a user: another role, blocked, let in again, removed.
import { useState } from "react";
import type { Role } from "#schema/api/operation";
import { getMe } from "#schema/api/sign-in";
import { listSessions, listUsers, removeUser, type User, updateUser } from "#schema/api/users";
import { Choice } from "../../components/field.tsx";
import { ConfirmChange, FormDialog } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { ROLE_WORDS, ROLES } from "../tokens/token-words.ts";
import { listRoleConsequences } from "./user-model.ts";

export interface UserDialogProps {
  readonly user: User;
  readonly isSelf: boolean;
  readonly onClose: () => void;
}

const MAKES_OLD = [listUsers.id, listSessions.id, getMe.id];

export function RoleDialog({ user, isSelf, onClose }: UserDialogProps) {
  const form = useForm(updateUser, MAKES_OLD, {
    onClose,
    toWords: ({ name, role }) => `${name} is ${ROLE_WORDS[role].label.toLowerCase()} now`,
  });
  const [role, setRole] = useState<Role>(user.role);
  return (
    <FormDialog
      title={`Role of ${user.name}`}
      description="It holds from the next request on. Nobody is signed out: open pages show what the new role may do within seconds."
      form={form}
      verb="Change role"
      isReady={role !== user.role}
      onSubmit={() => form.send({ params: { userId: user.id }, body: { role } })}
      onClose={onClose}
    >
      <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
      {role !== user.role && (
        <ul className="list-disc space-y-1 pl-5 text-muted">
          {listRoleConsequences(user, role, isSelf).map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
    </FormDialog>
  );
}

export function BlockDialog({ user, isSelf, onClose }: UserDialogProps) {
  const isBlocked = !user.isBlocked;
  return (
    <ConfirmChange
      operation={updateUser}
      input={{ params: { userId: user.id }, body: { isBlocked } }}
      makesOld={MAKES_OLD}
      title={isBlocked ? `Block ${user.name}?` : `Let ${user.name} in again?`}
      verb={isBlocked ? "Block" : "Let in"}
      onClose={onClose}
    >
      <p>
        {isBlocked
          ? `${isSelf ? "You are" : "The user is"} signed out everywhere at once, and kept out until somebody undoes it; open pages hear nothing more.`
          : "The user can sign in again, with the role of before."}
      </p>
    </ConfirmChange>
  );
}

export const RemoveUserDialog = ({ user, isSelf, onClose }: UserDialogProps) => (
  <ConfirmChange
    operation={removeUser}
    input={{ params: { userId: user.id } }}
    makesOld={MAKES_OLD}
    words={`${user.name} is removed`}
    title={`Remove ${user.name}?`}
    name={user.name}
    verb="Remove user"
    onClose={onClose}
  >
    <ul className="list-disc space-y-1 pl-5">
      <li>
        {isSelf ? "You are" : "The user is"} signed out everywhere at once; open pages hear nothing more, and sign-in
        links end, too.
      </li>
      {user.knownBy === "oidc" && (
        <li>Whom the OpenID provider still lets in comes back as a new viewer. To keep somebody out, block them.</li>
      )}
      <li>API tokens and join tokens stay: they belong to nobody.</li>
    </ul>
  </ConfirmChange>
);
