import { useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { deletePolicySet, listPolicySets } from "#schema/api/policy-sets";
import type { PolicySet } from "#schema/policy";
import { useCan } from "../../api/session.ts";
import { useChange } from "../../api/use-api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { useToast } from "../../components/toast.tsx";
import { FormError } from "../query-view.tsx";
import { PolicySetUseList } from "./policy-set-use-list.tsx";
import type { PolicySetUse } from "./policy-use-model.ts";

interface DeletePolicySetButtonProps {
  readonly policySet: PolicySet;
  readonly uses: readonly PolicySetUse[];
}

export function DeletePolicySetButton({ policySet, uses }: DeletePolicySetButtonProps) {
  const remove = useChange(deletePolicySet, [listPolicySets.id]);
  const navigate = useNavigate();
  const toast = useToast();
  const [isOpen, setOpen] = useState(false);
  if (!useCan(deletePolicySet)) return null;
  const close = () => setOpen(false);
  const confirm = async () => {
    const done = await remove.mutateAsync({ params: { policySetId: policySet.id } }).then(
      () => true,
      () => false,
    );
    if (!done) return;
    toast(`${policySet.name} is deleted`);
    await navigate({ to: "/policy-sets", ignoreBlocker: true });
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Trash2 aria-hidden /> Delete
      </Button>
      {uses.length > 0 ? (
        <Dialog
          title={`${policySet.name} is in use`}
          description="It can be deleted when nothing uses it any more. Choose another set, or none, there:"
          isOpen={isOpen}
          onClose={close}
        >
          <DialogBody>
            <PolicySetUseList uses={uses} />
          </DialogBody>
          <DialogFooter>
            <Button look="primary" onClick={close}>
              Close
            </Button>
          </DialogFooter>
        </Dialog>
      ) : (
        <ConfirmDialog
          title={`Delete ${policySet.name}?`}
          isOpen={isOpen}
          onClose={close}
          name={policySet.name}
          verb="Delete policy set"
          isBusy={remove.isPending}
          onConfirm={() => void confirm()}
        >
          <p>Nothing uses it, so no route changes. It can't be undone.</p>
          <FormError error={remove.error} />
        </ConfirmDialog>
      )}
    </>
  );
}
