// Asks before what can't be taken back. Where a name is given it has to be typed.
import { type FormEvent, type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { Dialog, DialogBody, DialogFooter } from "./dialog.tsx";
import { Field, TextInput } from "./field.tsx";

interface ConfirmDialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** What happens then. */
  readonly children: ReactNode;
  /** The name to type. */
  readonly name?: string;
  /** The verb on the button: `Delete mesh`. */
  readonly verb: string;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
}

export function ConfirmDialog({ title, isOpen, onClose, children, name, verb, isBusy, onConfirm }: ConfirmDialogProps) {
  const [typed, setTyped] = useState("");
  const isSure = name === undefined || typed.trim() === name;
  const close = () => {
    setTyped("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isSure) onConfirm();
  };
  return (
    <Dialog title={title} isOpen={isOpen} onClose={close}>
      <form onSubmit={submit} className="contents">
        <DialogBody>
          <div className="flex flex-col gap-3 text-muted">{children}</div>
          {name !== undefined && (
            <Field
              label={
                <>
                  Type <strong className="font-mono font-semibold text-ink">{name}</strong> to confirm
                </>
              }
            >
              {(ids) => (
                <TextInput
                  {...ids}
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                  autoComplete="off"
                  spellCheck={false}
                  autoCapitalize="none"
                />
              )}
            </Field>
          )}
        </DialogBody>
        <DialogFooter>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="danger" disabled={!isSure} isBusy={isBusy}>
            {verb}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
