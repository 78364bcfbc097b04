import { Pencil } from "lucide-react";
import { useState } from "react";
import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { useCan } from "../../../api/session.ts";
import { Button } from "../../../components/button.tsx";
import { TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { FormDialog } from "../../form/form-dialog.tsx";
import { useForm } from "../../form/use-form.ts";
import { parseTagDraft } from "./tag-draft-model.ts";
import { TagList } from "./tag-list.tsx";

export function TagsCard({ machine }: { readonly machine: Machine }) {
  const [isOpen, setOpen] = useState(false);
  const canChange = useCan(updateMachine);
  return (
    <Card title="Tags">
      <div className="flex items-start justify-between gap-3">
        {machine.tags.length === 0 ? (
          <p className="text-muted">
            None. <code>site:NAME</code> puts it into a place on the map.
          </p>
        ) : (
          <TagList tags={machine.tags} isLinked />
        )}
        {canChange && (
          <Button size="small" aria-label={`Change the tags of ${machine.name}`} onClick={() => setOpen(true)}>
            <Pencil aria-hidden /> Change
          </Button>
        )}
      </div>
      {isOpen && <TagsDialog machine={machine} onClose={() => setOpen(false)} />}
    </Card>
  );
}

interface TagsDialogProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

function TagsDialog({ machine, onClose }: TagsDialogProps) {
  const form = useForm(updateMachine, [getMachine.id, listMachines.id], {
    onClose,
    toWords: ({ name }) => `The tags of ${name} are saved`,
  });
  const [text, setText] = useState(machine.tags.join(" "));
  const draft = parseTagDraft(text);
  return (
    <FormDialog
      title={`Tags of ${machine.name}`}
      description="Words to find and to group machines by. They change nothing of what it may do."
      form={form}
      fields={["tags"]}
      verb="Save tags"
      isReady={draft.ok && draft.tags.join() !== machine.tags.join()}
      onSubmit={() => draft.ok && form.send({ params: { machineId: machine.id }, body: { tags: draft.tags } })}
      onClose={onClose}
    >
      <TagsField text={text} refused={form.refused.tags} onChange={setText} />
    </FormDialog>
  );
}

interface TagsFieldProps {
  readonly text: string;
  readonly refused?: string | undefined;
  readonly onChange: (text: string) => void;
}

export function TagsField({ text, refused, onChange }: TagsFieldProps) {
  const draft = parseTagDraft(text);
  return (
    <TextField
      label="Tags"
      error={draft.ok ? refused : draft.error}
      hint="With blanks between. site:NAME says where a machine is."
      placeholder="site:berlin web"
      isCode
      value={text}
      onChange={onChange}
    />
  );
}
