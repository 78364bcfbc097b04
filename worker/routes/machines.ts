import * as links from "#schema/api/machine-links";
import * as routing from "#schema/api/machine-routing";
import * as operations from "#schema/api/machines";
import { deleteMachine } from "../machines/delete-machine.ts";
import { listLinkEvents } from "../machines/list-link-events.ts";
import { listMachines, readMachine } from "../machines/read-machines.ts";
import { listMachineAnnouncements, readRib } from "../machines/read-routing.ts";
import { explainPeer, listEndpoints, listPeers, readNetwork } from "../machines/read-telemetry.ts";
import { rotateKeys } from "../machines/rotate-keys.ts";
import { updateMachine } from "../machines/update-machine.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountMachines(mount: Mount, services: Services): void {
  mount(operations.listMachines, ({ query }) => listMachines(services, query));
  mount(operations.getMachine, ({ params }) => readMachine(services, params.machineId));
  mount(operations.updateMachine, ({ params, body, cause }) =>
    updateMachine(services, { machineId: params.machineId, change: body, cause }),
  );
  mount(links.listMachinePeers, ({ params, query }) => listPeers(services, { ...params, meshId: query.meshId }));
  mount(links.explainMachinePeer, ({ params }) => explainPeer(services, params));
  mount(links.listMachineEndpoints, ({ params }) => listEndpoints(services, params.machineId));
  mount(links.getMachineNetwork, ({ params }) => readNetwork(services, params.machineId));
  mount(routing.getMachineRib, ({ params, query: { meshId, prefix } }) =>
    readRib(services, { ...params, meshId, prefix }),
  );
  mount(routing.listMachineAnnouncements, ({ params, query }) =>
    listMachineAnnouncements(services, { ...params, meshId: query.meshId }),
  );
  mount(links.listMachineEvents, ({ params, query }) => listLinkEvents(services, params.machineId, query));
  mount(operations.rotateMachineKeys, ({ params, body, cause }) =>
    rotateKeys(services, { ...params, keysMadeBefore: body.keysMadeBefore, force: body.force, cause }),
  );
  mount(operations.deleteMachine, ({ params, cause }) => deleteMachine(services, params.machineId, cause));
}
