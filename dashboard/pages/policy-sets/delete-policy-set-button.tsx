import { useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { deletePolicySet, listPolicySets } from "#schema/api/policy-sets";
import type { PolicySet } from "#schema/policy";
import { useCan } from "../../api/session.ts";
import { Button } from "../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../components/dialog.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { PolicySetUseList } from "./policy-set-use-list.tsx";
import type { PolicySetUse } from "./policy-use-model.ts";

interface PolicySetDialogProps {
  readonly policySet: PolicySet;
  readonly uses: readonly PolicySetUse[];
  readonly onClose: () => void;
}

export function DeletePolicySetButton(props: Omit<PolicySetDialogProps, "onClose">) {
  const [isOpen, setOpen] = useState(false);
  if (!useCan(deletePolicySet)) return null;
  const Opened = props.uses.length > 0 ? InUseDialog : DeleteDialog;
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Trash2 aria-hidden /> Delete
      </Button>
      {isOpen && <Opened {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

const InUseDialog = ({ policySet, uses, onClose }: PolicySetDialogProps) => (
  <Dialog
    title={`${policySet.name} is in use`}
    description="It can be deleted when nothing uses it any more. Choose another set, or none, there:"
    onClose={onClose}
  >
    <DialogBody>
      <PolicySetUseList uses={uses} />
    </DialogBody>
    <DialogFooter>
      <Button look="primary" onClick={onClose}>
        Close
      </Button>
    </DialogFooter>
  </Dialog>
);

function DeleteDialog({ policySet: { id, name }, onClose }: PolicySetDialogProps) {
  const navigate = useNavigate();
  return (
    <ConfirmChange
      operation={deletePolicySet}
      input={{ params: { policySetId: id } }}
      makesOld={[listPolicySets.id]}
      words={`${name} is deleted`}
      onDone={() => void navigate({ to: "/policy-sets", ignoreBlocker: true })}
      title={`Delete ${name}?`}
      name={name}
      verb="Delete policy set"
      onClose={onClose}
    >
      <p>Nothing uses it, so no route changes. It can't be undone.</p>
    </ConfirmChange>
  );
}
