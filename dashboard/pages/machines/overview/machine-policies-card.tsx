import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { useCan } from "../../../api/session.ts";
import { useChange } from "../../../api/use-api.ts";
import { useToast } from "../../../components/toast.tsx";
import { PoliciesCard, type PolicyChoice } from "../../policy-sets/policies-card.tsx";

const WORDS = {
  import: { hint: "What it takes of what others announce, in each of its meshes.", none: "None: it takes all" },
  export: { hint: "What it announces itself, and brings as a gateway.", none: "None: all, as it is" },
};

export function MachinePoliciesCard({ machine }: { readonly machine: Machine }) {
  const update = useChange(updateMachine, [getMachine.id, listMachines.id]);
  const canChange = useCan(updateMachine);
  const toast = useToast();
  const save = (body: PolicyChoice, onSaved: () => void) => {
    const onSuccess = () => {
      onSaved();
      toast("Policies saved");
    };
    update.mutate({ params: { machineId: machine.id }, body }, { onSuccess });
  };
  return (
    <PoliciesCard
      chosen={machine}
      words={WORDS}
      canChange={canChange}
      isBusy={update.isPending}
      error={update.error}
      onSave={save}
    />
  );
}
