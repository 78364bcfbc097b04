import { type FormEvent, useState } from "react";
import { type CreatedApiToken, createApiToken, listApiTokens } from "#schema/api/api-tokens";
import type { Role } from "#schema/api/operation";
import { useChange } from "../../api/use-api.ts";
import { useIdempotencyKey } from "../../browser/use-idempotency-key.ts";
import { Until } from "../../components/age.tsx";
import { Button } from "../../components/button.tsx";
import { CopyBlock } from "../../components/copy-text.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { Choice, Field, Select, TextInput } from "../../components/field.tsx";
import { FormError } from "../query-view.tsx";
import { ROLE_WORDS } from "./token-words.ts";

interface CreateApiTokenDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const LIFETIMES = [1, 7, 30, 90, 365];
const DAY_SECONDS = 86_400;
const ROLES = (["viewer", "admin", "owner"] as const).map((value) => ({ value, ...ROLE_WORDS[value] }));

export function CreateApiTokenDialog({ isOpen, onClose }: CreateApiTokenDialogProps) {
  const [token, setToken] = useState<CreatedApiToken | null>(null);
  const close = () => {
    setToken(null);
    onClose();
  };
  return (
    <Dialog
      title={token === null ? "Create an API token" : `${token.name} is there`}
      {...(token === null ? {} : { description: "Copy it now: it is not shown again." })}
      isOpen={isOpen}
      onClose={close}
    >
      {token === null ? (
        <TokenForm onClose={close} onCreated={setToken} />
      ) : (
        <>
          <DialogBody>
            <CopyBlock text={token.token} what="token" />
            <p className="text-muted">
              It ends <Until at={token.expiresAt} />.
            </p>
          </DialogBody>
          <DialogFooter>
            <Button look="primary" onClick={close}>
              Done
            </Button>
          </DialogFooter>
        </>
      )}
    </Dialog>
  );
}

interface TokenFormProps {
  readonly onClose: () => void;
  readonly onCreated: (token: CreatedApiToken) => void;
}

function TokenForm({ onClose, onCreated }: TokenFormProps) {
  const create = useChange(createApiToken, [listApiTokens.id]);
  const idempotencyKey = useIdempotencyKey();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState(90);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    const body = { name: name.trim(), role, expiresInSeconds: days * DAY_SECONDS };
    create.mutate({ body, idempotencyKey }, { onSuccess: onCreated });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="What for">
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              maxLength={100}
              placeholder="backup script"
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
        <Field label="Good for">
          {(ids) => (
            <Select {...ids} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {LIFETIMES.map((count) => (
                <option key={count} value={count}>
                  {count === 1 ? "1 day" : `${count} days`}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <FormError error={create.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={name.trim() === ""} isBusy={create.isPending}>
          Create token
        </Button>
      </DialogFooter>
    </form>
  );
}
