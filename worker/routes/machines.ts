import * as operations from "#schema/api/machines";
import { deleteMachine } from "../machines/delete-machine.ts";
import { listMachines, readMachine } from "../machines/read-machines.ts";
import { updateMachine } from "../machines/update-machine.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountMachines(mount: Mount, services: Services): void {
  mount(operations.listMachines, ({ query }) => listMachines(services, query));
  mount(operations.getMachine, ({ params }) => readMachine(services, params.machineId));
  mount(operations.updateMachine, ({ params, body, cause }) =>
    updateMachine(services, { machineId: params.machineId, change: body, cause }),
  );
  mount(operations.deleteMachine, ({ params, cause }) => deleteMachine(services, params.machineId, cause));
}
