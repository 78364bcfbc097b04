// Asks before what can't be taken back. Where a name is given it has to be typed.
import { useState } from "react";
import { Dialog, type DialogProps } from "./dialog.tsx";
import { DialogForm } from "./dialog-form.tsx";
import { TextField } from "./field.tsx";

export interface ConfirmDialogProps extends Omit<DialogProps, "description"> {
  /** The name to type. */
  readonly name?: string;
  /** The verb on the button: `Delete mesh`. */
  readonly verb: string;
  readonly isBusy?: boolean;
  readonly onConfirm: () => void;
}

/** Its children say what happens then. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, onClose, children, name, verb, isBusy = false, onConfirm } = props;
  const [typed, setTyped] = useState("");
  const isSure = name === undefined || typed.trim() === name;
  return (
    <Dialog title={title} onClose={onClose}>
      <DialogForm verb={verb} look="danger" isReady={isSure} isBusy={isBusy} onSubmit={onConfirm} onClose={onClose}>
        <div className="flex flex-col gap-3 text-muted">{children}</div>
        {name !== undefined && (
          <TextField
            label={
              <>
                Type <strong className="font-mono font-semibold text-ink">{name}</strong> to confirm
              </>
            }
            value={typed}
            onChange={setTyped}
          />
        )}
      </DialogForm>
    </Dialog>
  );
}
