// Two steps: what the token may do, then the command; the dialog waits and says which machines arrived.
import { useState } from "react";
import { type CreatedJoinToken, createJoinToken, listJoinTokens } from "#schema/api/join-tokens";
import { listMeshes } from "#schema/api/meshes";
import { useList } from "../../../api/use-api.ts";
import { Dialog } from "../../../components/dialog.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { Notice } from "../../../components/states.tsx";
import { ChangeForm } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { parseTagDraft } from "../tags/tag-draft-model.ts";
import { TagsField } from "../tags/tags-card.tsx";
import { Arrivals } from "./arrivals.tsx";
import { type JoinDraft, judgeMaxUses, LIFETIMES, NEW_JOIN_DRAFT, toJoinTokenBody } from "./join-command.ts";

interface AddMachineDialogProps {
  readonly onClose: () => void;
  /** The mesh that is meant; left out: the default one. */
  readonly meshId?: string;
}

export function AddMachineDialog({ onClose, meshId }: AddMachineDialogProps) {
  const [token, setToken] = useState<CreatedJoinToken | null>(null);
  return (
    <Dialog
      title="Add a machine"
      description={
        token === null ? "A join token lets machines enrol, for a while." : "Run this on the machine, as root."
      }
      onClose={onClose}
    >
      {token === null ? (
        <TokenStep {...(meshId === undefined ? {} : { meshId })} onClose={onClose} onCreated={setToken} />
      ) : (
        <Arrivals token={token} onDone={onClose} />
      )}
    </Dialog>
  );
}

interface TokenStepProps extends AddMachineDialogProps {
  readonly onCreated: (token: CreatedJoinToken) => void;
}

function TokenStep({ meshId, onClose, onCreated }: TokenStepProps) {
  const meshes = useList(listMeshes, {});
  const form = useForm(createJoinToken, [listJoinTokens.id], { onDone: onCreated });
  const [draft, setDraft] = useState<JoinDraft>({
    ...NEW_JOIN_DRAFT,
    ...(meshId === undefined ? {} : { mesh: meshId }),
  });
  const usesError = judgeMaxUses(draft.maxUses);
  const fallback = meshes.data?.find(({ isDefault }) => isDefault);
  return (
    <ChangeForm
      form={form}
      verb="Create token"
      isReady={usesError === null && parseTagDraft(draft.tags).ok}
      onSubmit={() => form.send({ body: toJoinTokenBody(draft) })}
      onClose={onClose}
    >
      <SelectField label="Mesh" value={draft.mesh} onChange={(mesh) => setDraft({ ...draft, mesh })}>
        <option value="default">{fallback ? `The default mesh (${fallback.name})` : "The default mesh"}</option>
        {(meshes.data ?? []).map(({ id, name, cidr }) => (
          <option key={id} value={id}>
            {name} ({cidr})
          </option>
        ))}
        <option value="none">None for now</option>
      </SelectField>
      {draft.mesh === "default" && meshes.data && fallback === undefined && (
        <Notice tone="warn">No mesh is the default: the machine will enrol and be in no mesh.</Notice>
      )}
      <div className="grid grid-cols-2 gap-3">
        <SelectField
          label="Good for"
          value={String(draft.expiresInSeconds)}
          onChange={(seconds) => setDraft({ ...draft, expiresInSeconds: Number(seconds) })}
        >
          {LIFETIMES.map(({ seconds, label }) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Machines"
          error={usesError}
          hint="Empty: any number."
          inputMode="numeric"
          placeholder="any number"
          value={draft.maxUses}
          onChange={(maxUses) => setDraft({ ...draft, maxUses })}
        />
      </div>
      <TagsField text={draft.tags} onChange={(tags) => setDraft({ ...draft, tags })} />
    </ChangeForm>
  );
}
