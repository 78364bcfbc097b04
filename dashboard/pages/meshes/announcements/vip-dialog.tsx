import { useState } from "react";
import { Ipv4, isInside } from "#schema/address";
import { createVip, listVips, updateVip } from "#schema/api/vips";
import type { Member } from "#schema/machine";
import type { Mesh } from "#schema/mesh";
import type { Vip } from "#schema/vip";
import { TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { MachineFields, NameField, useAnnouncementDraft } from "./announcement-fields.tsx";

interface VipDialogProps {
  readonly mesh: Mesh;
  /** The VIP to change; undefined: a new one. */
  readonly vip: Vip | undefined;
  readonly vips: readonly Vip[];
  readonly members: readonly Member[];
  readonly onClose: () => void;
}

export function VipDialog({ mesh, vip, vips, members, onClose }: VipDialogProps) {
  const done = { onClose, toWords: (saved: Vip) => `${saved.name} is saved` };
  const create = useForm(createVip, [listVips.id], done);
  const update = useForm(updateVip, [listVips.id], done);
  const announcement = useAnnouncementDraft(vip, vips);
  const [typed, setTyped] = useState<string>(vip?.address ?? "");
  const address = typed.trim();
  const addressError = judgeAddress(address, mesh, members);
  const form = vip ? update : create;
  const body = announcement.body && address !== "" && addressError === null ? { ...announcement.body, address } : null;

  const submit = () => {
    if (body === null) return;
    if (vip) update.send({ params: { meshId: mesh.id, vipId: vip.id }, body });
    else create.send({ params: { meshId: mesh.id }, body });
  };
  return (
    <FormDialog
      title={vip ? `Change ${vip.name}` : "Create a VIP"}
      description="One address, held by whichever of its machines is healthy."
      form={form}
      fields={["name", "address"]}
      verb={vip ? "Save VIP" : "Create VIP"}
      isReady={body !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField announcement={announcement} refused={form.refused.name} placeholder="database" />
      <TextField
        label="Address"
        error={addressError ?? form.refused.address}
        hint={`Of ${mesh.cidr}, and nobody's yet. IPv6 comes by itself.`}
        isCode
        inputMode="decimal"
        value={typed}
        onChange={setTyped}
      />
      <MachineFields
        announcement={announcement}
        members={members}
        legend="Held by one of"
        hint="Whichever is healthy; several, so that another takes over."
        offHint="Off: nobody holds it."
      />
    </FormDialog>
  );
}

function judgeAddress(text: string, { cidr }: Mesh, members: readonly Member[]): string | null {
  if (text === "") return null;
  if (!Ipv4.safeParse(text).success) return "must be an IPv4 address";
  if (!isInside(text, cidr)) return `must be in ${cidr}`;
  const holder = members.find((member) => member.address === text);
  return holder ? `is the address of ${holder.name}` : null;
}
