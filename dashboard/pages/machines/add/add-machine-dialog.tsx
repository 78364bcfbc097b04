// Two steps: what the token may do, then the command; the dialog waits and says which machines arrived.
import { type FormEvent, useState } from "react";
import { type CreatedJoinToken, createJoinToken, listJoinTokens } from "#schema/api/join-tokens";
import { listMeshes } from "#schema/api/meshes";
import { useChange, useList } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, Select, TextInput } from "../../../components/field.tsx";
import { Notice } from "../../../components/states.tsx";
import { FormError } from "../../query-view.tsx";
import { Arrivals } from "./arrivals.tsx";
import { type JoinDraft, judgeMaxUses, LIFETIMES, NEW_JOIN_DRAFT, toJoinTokenBody } from "./join-command.ts";

interface AddMachineDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly meshId?: string;
}

export function AddMachineDialog({ isOpen, onClose, meshId }: AddMachineDialogProps) {
  const [token, setToken] = useState<CreatedJoinToken | null>(null);
  const close = () => {
    setToken(null);
    onClose();
  };
  return (
    <Dialog
      title="Add a machine"
      description={
        token === null ? "A join token lets machines enrol, for a while." : "Run this on the machine, as root."
      }
      isOpen={isOpen}
      onClose={close}
    >
      {token === null ? (
        <TokenStep {...(meshId === undefined ? {} : { meshId })} onClose={close} onCreated={setToken} />
      ) : (
        <Arrivals token={token} onDone={close} />
      )}
    </Dialog>
  );
}

interface TokenStepProps {
  readonly meshId?: string;
  readonly onClose: () => void;
  readonly onCreated: (token: CreatedJoinToken) => void;
}

function TokenStep({ meshId, onClose, onCreated }: TokenStepProps) {
  const meshes = useList(listMeshes, {});
  const create = useChange(createJoinToken, [listJoinTokens.id]);
  const idempotencyKey = useIdempotencyKey();
  const [draft, setDraft] = useState<JoinDraft>({
    ...NEW_JOIN_DRAFT,
    ...(meshId === undefined ? {} : { mesh: meshId }),
  });
  const usesError = judgeMaxUses(draft.maxUses);
  const fallback = meshes.data?.find(({ isDefault }) => isDefault);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (usesError !== null) return;
    create.mutate({ body: toJoinTokenBody(draft), idempotencyKey }, { onSuccess: onCreated });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="Mesh">
          {(ids) => (
            <Select {...ids} value={draft.mesh} onChange={(event) => setDraft({ ...draft, mesh: event.target.value })}>
              <option value="default">{fallback ? `The default mesh (${fallback.name})` : "The default mesh"}</option>
              {(meshes.data ?? []).map(({ id, name, cidr }) => (
                <option key={id} value={id}>
                  {name} ({cidr})
                </option>
              ))}
              <option value="none">None for now</option>
            </Select>
          )}
        </Field>
        {draft.mesh === "default" && meshes.data && fallback === undefined && (
          <Notice tone="warn">No mesh is the default: the machine will enrol and be in no mesh.</Notice>
        )}
        <div className="grid grid-cols-2 gap-3">
          <Field label="Good for">
            {(ids) => (
              <Select
                {...ids}
                value={draft.expiresInSeconds}
                onChange={(event) => setDraft({ ...draft, expiresInSeconds: Number(event.target.value) })}
              >
                {LIFETIMES.map(({ seconds, label }) => (
                  <option key={seconds} value={seconds}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Machines" error={usesError} hint="Empty: any number.">
            {(ids) => (
              <TextInput
                {...ids}
                inputMode="numeric"
                placeholder="any number"
                value={draft.maxUses}
                onChange={(event) => setDraft({ ...draft, maxUses: event.target.value })}
              />
            )}
          </Field>
        </div>
        <FormError error={create.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={usesError !== null} isBusy={create.isPending}>
          Create token
        </Button>
      </DialogFooter>
    </form>
  );
}
