import { getMachine, listMachines, updateMachine } from "#schema/api/machines";
import type { Machine } from "#schema/machine";
import { useCan } from "../../../api/session.ts";
import { useChange } from "../../../api/use-api.ts";
import { SwitchField } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { FormError } from "../../query-view.tsx";

export function GatewayCard({ machine }: { readonly machine: Machine }) {
  const update = useChange(updateMachine, [getMachine.id, listMachines.id]);
  const canChange = useCan(updateMachine);
  return (
    <Card title="Gateway">
      <div className="flex flex-col gap-3">
        <SwitchField
          label="This machine is a gateway"
          hint="It may forward, and so decrypt, for pairs that have no direct path, in meshes that allow transit."
          isOn={update.isPending ? update.variables.body.gateway === true : machine.gateway}
          onChange={(gateway) => update.mutate({ params: { machineId: machine.id }, body: { gateway } })}
          disabled={!canChange || update.isPending}
        />
        <FormError error={update.error} />
      </div>
    </Card>
  );
}
