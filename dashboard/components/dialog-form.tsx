// What a dialog asks: fields, a way out, and the verb that does it. Enter does it too, once it is ready.
import type { FormEvent, ReactNode } from "react";
import { Button, type ButtonLook } from "./button.tsx";
import { DialogBody, DialogFooter } from "./dialog.tsx";

export interface DialogFormProps {
  /** What is done, as on the button: `Create mesh`. */
  readonly verb: string;
  readonly look?: ButtonLook;
  readonly isReady: boolean;
  readonly isBusy: boolean;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function DialogForm(props: DialogFormProps) {
  const { verb, look = "primary", isReady, isBusy, onSubmit, onClose, children } = props;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !isBusy) onSubmit();
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>{children}</DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look={look} disabled={!isReady} isBusy={isBusy}>
          {verb}
        </Button>
      </DialogFooter>
    </form>
  );
}
