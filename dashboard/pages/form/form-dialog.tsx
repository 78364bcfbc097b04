// Dialogs that ask for a change; what it is refused for stands at the fields, or above the buttons.
import type { Operation } from "#schema/api/operation";
import type { InputOf } from "../../api/request.ts";
import { ConfirmDialog, type ConfirmDialogProps } from "../../components/confirm-dialog.tsx";
import { Dialog, type DialogProps } from "../../components/dialog.tsx";
import { DialogForm, type DialogFormProps } from "../../components/dialog-form.tsx";
import { FormError } from "../query-view.tsx";
import { type FormState, useForm } from "./use-form.ts";

interface ChangeFormProps extends Omit<DialogFormProps, "isBusy" | "look"> {
  readonly form: FormState;
  /** Fields that say themselves what is wrong with them. */
  readonly fields?: readonly string[];
}

/** In a dialog of its own making: one with a second step. */
export const ChangeForm = ({ form, fields = [], children, ...rest }: ChangeFormProps) => (
  <DialogForm {...rest} isBusy={form.isBusy}>
    {children}
    <FormError error={form.error} fields={fields} />
  </DialogForm>
);

export const FormDialog = ({ title, description, ...rest }: ChangeFormProps & Omit<DialogProps, "children">) => (
  <Dialog title={title} description={description} onClose={rest.onClose}>
    <ChangeForm {...rest} />
  </Dialog>
);

interface ConfirmChangeProps<O extends Operation> extends Omit<ConfirmDialogProps, "isBusy" | "onConfirm"> {
  readonly operation: O;
  readonly input: InputOf<O>;
  readonly makesOld: readonly string[];
  /** What is said when it is done. */
  readonly words?: string;
  readonly onDone?: () => void;
}

/** Asks before a change that can't be taken back, and makes it. */
export function ConfirmChange<const O extends Operation>(props: ConfirmChangeProps<O>) {
  const { operation, input, makesOld, words, onDone, children, ...rest } = props;
  const form = useForm(operation, makesOld, {
    onClose: rest.onClose,
    ...(words === undefined ? {} : { toWords: () => words }),
    ...(onDone === undefined ? {} : { onDone }),
  });
  return (
    <ConfirmDialog {...rest} isBusy={form.isBusy} onConfirm={() => form.send(input)}>
      {children}
      <FormError error={form.error} />
    </ConfirmDialog>
  );
}
