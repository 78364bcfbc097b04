import { type FormEvent, useState } from "react";
import { getMe } from "#schema/api/sign-in";
import { useCredentials } from "../../api/session.ts";
import { useClient } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { FormError } from "../query-view.tsx";

/** For the moment when there is a token and no link: right after the first start. The token is tried before it is kept. */
export function TokenForm({ onSignedIn }: { readonly onSignedIn: () => Promise<void> }) {
  const client = useClient();
  const credentials = useCredentials();
  const [token, setToken] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    credentials.write(token.trim());
    try {
      await client.call(getMe, {});
      await onSignedIn();
    } catch (failure) {
      credentials.clear();
      setError(failure as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <details className="group rounded-lg border border-line bg-surface">
      <summary className="px-4 py-3 font-semibold">With an API token</summary>
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3 px-4 pb-4">
        <TextField
          label="API token"
          hint="Kept in this tab until it is closed. Its role is yours."
          isCode
          type="password"
          placeholder="bkt_…"
          value={token}
          onChange={setToken}
        />
        <FormError error={error} />
        <Button type="submit" disabled={token.trim() === ""} isBusy={isBusy}>
          Use this token
        </Button>
      </form>
    </details>
  );
}
