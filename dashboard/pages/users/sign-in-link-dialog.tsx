import { type FormEvent, useState } from "react";
import type { Role } from "#schema/api/operation";
import { type CreatedLoginLink, createLoginLink } from "#schema/api/sign-in";
import { listUsers, type User, UserName } from "#schema/api/users";
import { toFieldErrors } from "../../api/api-error.ts";
import { useChange } from "../../api/use-api.ts";
import { useIdempotencyKey } from "../../browser/use-idempotency-key.ts";
import { Until } from "../../components/age.tsx";
import { Button } from "../../components/button.tsx";
import { CopyBlock } from "../../components/copy-text.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { Choice, Field, Select, TextInput } from "../../components/field.tsx";
import { FormError } from "../query-view.tsx";
import { ROLE_WORDS } from "../tokens/token-words.ts";

interface SignInLinkDialogProps {
  /** Whom it is for; null: somebody new. */
  readonly user: User | null;
  readonly onClose: () => void;
}

const ROLES = (["viewer", "admin", "owner"] as const).map((value) => ({ value, ...ROLE_WORDS[value] }));
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
      isOpen
      onClose={onClose}
    >
      {link === null ? (
        <LinkForm user={user} onClose={onClose} onCreated={setLink} />
      ) : (
        <>
          <DialogBody>
            <CopyBlock text={link.url} what="sign-in link" />
            <p className="text-muted">
              It works once, as {ROLE_WORDS[link.user.role].label.toLowerCase()}, and ends <Until at={link.expiresAt} />
              .
            </p>
          </DialogBody>
          <DialogFooter>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogFooter>
        </>
      )}
    </Dialog>
  );
}

interface LinkFormProps extends SignInLinkDialogProps {
  readonly onCreated: (link: CreatedLoginLink) => void;
}

function LinkForm({ user, onClose, onCreated }: LinkFormProps) {
  const create = useChange(createLoginLink, [listUsers.id]);
  const idempotencyKey = useIdempotencyKey();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [expiresInSeconds, setSeconds] = useState(3_600);
  const isReady = user !== null || UserName.safeParse(name).success;
  const refused = toFieldErrors(create.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const whom = user === null ? { name: name.trim(), role } : { userId: user.id };
    create.mutate({ body: { ...whom, expiresInSeconds }, idempotencyKey }, { onSuccess: onCreated });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        {user === null && (
          <>
            <Field label="Name" error={refused.name} hint="Of a user who was invited before: that user, role and all.">
              {(ids) => (
                <TextInput
                  {...ids}
                  value={name}
                  maxLength={100}
                  placeholder="Ann Example"
                  autoComplete="off"
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            </Field>
            <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
          </>
        )}
        <Field label="Good for">
          {(ids) => (
            <Select {...ids} value={expiresInSeconds} onChange={(event) => setSeconds(Number(event.target.value))}>
              {LIFETIMES.map(({ seconds, label }) => (
                <option key={seconds} value={seconds}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <FormError error={refused.name ? null : create.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!isReady} isBusy={create.isPending}>
          Make the link
        </Button>
      </DialogFooter>
    </form>
  );
}
