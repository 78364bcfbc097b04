import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { useCan } from "../../../api/session.ts";
import { useForm } from "../../form/use-form.ts";
import { PoliciesCard } from "../../policy-sets/policies-card.tsx";

const WORDS = {
  import: { hint: "What it takes of what others announce, in each of its meshes.", none: "None: it takes all" },
  export: { hint: "What it announces itself, and brings as a gateway.", none: "None: all, as it is" },
};

export function MachinePoliciesCard({ machine }: { readonly machine: Machine }) {
  const form = useForm(updateMachine, [getMachine.id, listMachines.id], { toWords: () => "Policies saved" });
  const canChange = useCan(updateMachine);
  return (
    <PoliciesCard
      chosen={machine}
      words={WORDS}
      canChange={canChange}
      form={form}
      onSave={(body) => form.send({ params: { machineId: machine.id }, body })}
    />
  );
}
