// A form that asks for one change: an idempotency key for as long as the form is there, whether the change is under way, why it was
// refused, and what comes when it is done.
import type { Operation } from "#schema/api/operation";
import { toFieldErrors } from "../../api/api-error.ts";
import type { InputOf, ReplyOf } from "../../api/request.ts";
import { useChange } from "../../api/use-api.ts";
import { useIdempotencyKey } from "../../browser/use-idempotency-key.ts";
import { useToast } from "../../components/toast.tsx";

export interface FormState {
  readonly isBusy: boolean;
  readonly error: Error | null;
  /** What the control plane found wrong with each field, by its name. */
  readonly refused: Readonly<Record<string, string>>;
}

export interface Form<O extends Operation> extends FormState {
  send(input: InputOf<O>): void;
}

interface Done<O extends Operation> {
  /** Only while the form is still there: it closes nothing that was opened since. */
  readonly onClose?: () => void;
  /** A short message for whoever did it. */
  readonly toWords?: (reply: ReplyOf<O>) => string;
  readonly onDone?: (reply: ReplyOf<O>) => void;
}

/** @param makesOld ids of the operations whose answers the change makes old */
export function useForm<const O extends Operation>(
  operation: O,
  makesOld: readonly string[],
  { onClose, toWords, onDone }: Done<O> = {},
): Form<O> {
  const change = useChange(operation, makesOld);
  const idempotencyKey = useIdempotencyKey();
  const toast = useToast();
  const finish = (reply: ReplyOf<O>) => {
    if (toWords) toast(toWords(reply));
    onDone?.(reply);
  };
  return {
    isBusy: change.isPending,
    error: change.error,
    refused: toFieldErrors(change.error),
    send(input) {
      // By the promise: what is deleted may take the form with it, and is done all the same. A refusal is in `error`.
      const closing = onClose === undefined ? {} : { onSuccess: onClose };
      void change.mutateAsync(Object.assign({ idempotencyKey }, input), closing).then(finish, () => undefined);
    },
  };
}
