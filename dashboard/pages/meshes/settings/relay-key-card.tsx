import { KeyRound } from "lucide-react";
import { useState } from "react";
import { rotateRelayKey } from "#schema/api/meshes";
import type { Mesh } from "#schema/mesh";
import { useCan } from "../../../api/session.ts";
import { Button } from "../../../components/button.tsx";
import { Card } from "../../../components/layout.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";

export function RelayKeyCard({ mesh }: { readonly mesh: Mesh }) {
  const [isOpen, setOpen] = useState(false);
  if (!useCan(rotateRelayKey)) return null;
  return (
    <Card title="Relay key">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-muted">
          It signs the tickets that open this mesh's relays. By itself it is replaced after 30 days.
        </p>
        <Button onClick={() => setOpen(true)}>
          <KeyRound aria-hidden /> Replace relay key
        </Button>
      </div>
      {isOpen && <ReplaceRelayKeyDialog mesh={mesh} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function ReplaceRelayKeyDialog({ mesh: { id, name }, onClose }: { readonly mesh: Mesh; readonly onClose: () => void }) {
  const form = useForm(rotateRelayKey, [], {
    onClose,
    toWords: ({ madeAt }) => (madeAt === null ? `${name} has no relay key yet` : `${name} has a new relay key`),
  });
  return (
    <FormDialog
      title={`Replace the relay key of ${name}?`}
      form={form}
      verb="Replace relay key"
      isReady
      onSubmit={() => form.send({ params: { meshId: id } })}
      onClose={onClose}
    >
      <ul className="list-disc space-y-1 pl-5 text-muted">
        <li>Relays that are open go on, and no packet is lost.</li>
        <li>With the former key nobody opens a relay after two minutes.</li>
        <li>A key that was made within the last minute stays.</li>
      </ul>
    </FormDialog>
  );
}
