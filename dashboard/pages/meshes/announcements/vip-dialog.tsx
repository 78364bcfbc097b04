import { type FormEvent, useState } from "react";
import { Ipv4, isInside } from "#schema/address";
import { createVip, listVips, updateVip } from "#schema/api/vips";
import type { Member } from "#schema/machine";
import type { Mesh } from "#schema/mesh";
import type { Vip } from "#schema/vip";
import { toFieldErrors } from "../../../api/api-error.ts";
import { useChange } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, SwitchField, TextInput } from "../../../components/field.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError } from "../../query-view.tsx";
import { judgeName } from "../create/mesh-draft-model.ts";
import { parseCheckDraft, toCheckDraft } from "./announcement-model.ts";
import { CheckFields } from "./check-fields.tsx";
import { MachineChecklist } from "./machine-checklist.tsx";

interface VipFormProps {
  readonly mesh: Mesh;
  /** The VIP to change; undefined: a new one. */
  readonly vip: Vip | undefined;
  readonly vips: readonly Vip[];
  readonly members: readonly Member[];
  readonly onClose: () => void;
}

export const VipDialog = ({ isOpen, ...rest }: VipFormProps & { readonly isOpen: boolean }) => (
  <Dialog
    title={rest.vip ? `Change ${rest.vip.name}` : "Create a VIP"}
    description="One address, held by whichever of its machines is healthy."
    isOpen={isOpen}
    onClose={rest.onClose}
  >
    <VipForm {...rest} />
  </Dialog>
);

function VipForm({ mesh, vip, vips, members, onClose }: VipFormProps) {
  const toast = useToast();
  const idempotencyKey = useIdempotencyKey();
  const create = useChange(createVip, [listVips.id]);
  const update = useChange(updateVip, [listVips.id]);
  const [name, setName] = useState<string>(vip?.name ?? "");
  const [address, setAddress] = useState<string>(vip?.address ?? "");
  const [machineIds, setMachineIds] = useState<readonly string[]>(vip?.machineIds ?? []);
  const [enabled, setEnabled] = useState(vip?.enabled ?? true);
  const [draft, setDraft] = useState(() => toCheckDraft(vip?.healthCheck ?? null));

  const taken = vips.filter(({ id }) => id !== vip?.id).map((other) => other.name);
  const nameError = judgeName(name, taken);
  const addressError = judgeAddress(address.trim(), mesh, members);
  const check = parseCheckDraft(draft);
  const error = create.error ?? update.error;
  const refused = toFieldErrors(error);
  const isReady = name !== "" && nameError === null && address.trim() !== "" && addressError === null && check.ok;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const body = { name, address: address.trim(), machineIds: [...machineIds], enabled, healthCheck: check.check };
    const onSuccess = () => {
      toast(`${name} is saved`);
      onClose();
    };
    if (vip) update.mutate({ params: { meshId: mesh.id, vipId: vip.id }, body }, { onSuccess });
    else create.mutate({ params: { meshId: mesh.id }, body, idempotencyKey }, { onSuccess });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="Name" error={nameError ?? refused.name}>
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              onChange={(event) => setName(event.target.value)}
              placeholder="database"
              autoCapitalize="none"
              spellCheck={false}
            />
          )}
        </Field>
        <Field
          label="Address"
          error={addressError ?? refused.address}
          hint={`Of ${mesh.cidr}, and nobody's yet. IPv6 comes by itself.`}
        >
          {(ids) => (
            <TextInput
              {...ids}
              className="font-mono"
              inputMode="decimal"
              value={address}
              onChange={(event) => setAddress(event.target.value)}
              spellCheck={false}
            />
          )}
        </Field>
        <MachineChecklist
          legend="Held by one of"
          hint="Whichever is healthy; several, so that another takes over."
          members={members}
          chosen={machineIds}
          onChange={setMachineIds}
        />
        <CheckFields draft={draft} errors={check.ok ? {} : check.errors} onChange={setDraft} />
        <SwitchField label="Enabled" hint="Off: nobody holds it." isOn={enabled} onChange={setEnabled} />
        <FormError error={refused.name || refused.address ? null : error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!isReady} isBusy={create.isPending || update.isPending}>
          {vip ? "Save VIP" : "Create VIP"}
        </Button>
      </DialogFooter>
    </form>
  );
}

function judgeAddress(text: string, { cidr }: Mesh, members: readonly Member[]): string | null {
  if (text === "") return null;
  if (!Ipv4.safeParse(text).success) return "must be an IPv4 address";
  if (!isInside(text, cidr)) return `must be in ${cidr}`;
  const holder = members.find((member) => member.address === text);
  return holder ? `is the address of ${holder.name}` : null;
}
