import { useState } from "react";
import type { Role } from "#schema/api/operation";
import { type CreatedLoginLink, createLoginLink } from "#schema/api/sign-in";
import { listUsers, type User, UserName } from "#schema/api/users";
import { Until } from "../../components/age.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Choice, SelectField, TextField } from "../../components/field.tsx";
import { ChangeForm } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { SecretStep } from "../tokens/secret-step.tsx";
import { ROLE_WORDS, ROLES } from "../tokens/token-words.ts";

interface SignInLinkDialogProps {
  /** Whom it is for; null: somebody new. */
  readonly user: User | null;
  readonly onClose: () => void;
}

const LIFETIMES = [
  { seconds: 600, label: "10 minutes" },
  { seconds: 3_600, label: "1 hour" },
  { seconds: 86_400, label: "1 day" },
];

export function SignInLinkDialog({ user, onClose }: SignInLinkDialogProps) {
  const [link, setLink] = useState<CreatedLoginLink | null>(null);
  const asked = user === null ? "Invite a user" : `A sign-in link for ${user.name}`;
  const description =
    link === null
      ? "A link signs somebody in once. Whoever has it gets in: send it the way you would a password."
      : "Copy it now: it is not shown again.";
  return (
    <Dialog
      title={link === null ? asked : `The link for ${link.user.name}`}
      description={description}
      onClose={onClose}
    >
      {link === null ? (
        <LinkForm user={user} onClose={onClose} onCreated={setLink} />
      ) : (
        <SecretStep secret={link.url} what="sign-in link" onDone={onClose}>
          It works once, as {ROLE_WORDS[link.user.role].label.toLowerCase()}, and ends <Until at={link.expiresAt} />.
        </SecretStep>
      )}
    </Dialog>
  );
}

interface LinkFormProps extends SignInLinkDialogProps {
  readonly onCreated: (link: CreatedLoginLink) => void;
}

function LinkForm({ user, onClose, onCreated }: LinkFormProps) {
  const form = useForm(createLoginLink, [listUsers.id], { onDone: onCreated });
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [seconds, setSeconds] = useState("3600");
  const whom = user === null ? { name: name.trim(), role } : { userId: user.id };
  return (
    <ChangeForm
      form={form}
      fields={["name"]}
      verb="Make the link"
      isReady={user !== null || UserName.safeParse(name).success}
      onSubmit={() => form.send({ body: { ...whom, expiresInSeconds: Number(seconds) } })}
      onClose={onClose}
    >
      {user === null && (
        <>
          <TextField
            label="Name"
            error={form.refused.name}
            hint="Of a user who was invited before: that user, role and all."
            value={name}
            onChange={setName}
            maxLength={100}
            placeholder="Ann Example"
            autoCapitalize="words"
          />
          <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
        </>
      )}
      <SelectField label="Good for" value={seconds} onChange={setSeconds}>
        {LIFETIMES.map((lifetime) => (
          <option key={lifetime.seconds} value={lifetime.seconds}>
            {lifetime.label}
          </option>
        ))}
      </SelectField>
    </ChangeForm>
  );
}
