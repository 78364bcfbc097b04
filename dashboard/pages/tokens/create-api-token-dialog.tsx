import { useState } from "react";
import { type CreatedApiToken, createApiToken, listApiTokens } from "#schema/api/api-tokens";
import type { Role } from "#schema/api/operation";
import { Until } from "../../components/age.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Choice, SelectField, TextField } from "../../components/field.tsx";
import { ChangeForm } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { SecretStep } from "./secret-step.tsx";
import { ROLES } from "./token-words.ts";

const LIFETIMES = [1, 7, 30, 90, 365];
const DAY_SECONDS = 86_400;

export function CreateApiTokenDialog({ onClose }: { readonly onClose: () => void }) {
  const [token, setToken] = useState<CreatedApiToken | null>(null);
  return (
    <Dialog
      title={token === null ? "Create an API token" : `${token.name} is there`}
      {...(token === null ? {} : { description: "Copy it now: it is not shown again." })}
      onClose={onClose}
    >
      {token === null ? (
        <TokenForm onClose={onClose} onCreated={setToken} />
      ) : (
        <SecretStep secret={token.token} what="token" onDone={onClose}>
          It ends <Until at={token.expiresAt} />.
        </SecretStep>
      )}
    </Dialog>
  );
}

interface TokenFormProps {
  readonly onClose: () => void;
  readonly onCreated: (token: CreatedApiToken) => void;
}

function TokenForm({ onClose, onCreated }: TokenFormProps) {
  const form = useForm(createApiToken, [listApiTokens.id], { onDone: onCreated });
  const [typed, setTyped] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const name = typed.trim();
  const submit = () => form.send({ body: { name, role, expiresInSeconds: Number(days) * DAY_SECONDS } });
  return (
    <ChangeForm form={form} verb="Create token" isReady={name !== ""} onSubmit={submit} onClose={onClose}>
      <TextField
        label="What for"
        value={typed}
        onChange={setTyped}
        maxLength={100}
        placeholder="backup script"
        autoCapitalize="sentences"
      />
      <Choice legend="Role" value={role} onChange={setRole} options={ROLES} />
      <SelectField label="Good for" value={days} onChange={setDays}>
        {LIFETIMES.map((count) => (
          <option key={count} value={count}>
            {count === 1 ? "1 day" : `${count} days`}
          </option>
        ))}
      </SelectField>
    </ChangeForm>
  );
}
