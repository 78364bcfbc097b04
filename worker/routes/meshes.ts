import * as operations from "#schema/api/meshes";
import { createMesh } from "../meshes/create-mesh.ts";
import { deleteMesh } from "../meshes/delete-mesh.ts";
import { listMeshes, readMesh } from "../meshes/read-meshes.ts";
import { rotateRelayKey } from "../meshes/rotate-relay-key.ts";
import { updateMesh } from "../meshes/update-mesh.ts";
import type { Services } from "../services.ts";
import type { Mount, MountUpgrade } from "./api.ts";
import { watchMesh } from "./watch-mesh.ts";

interface Mounts {
  readonly mount: Mount;
  readonly mountUpgrade: MountUpgrade;
}

export function mountMeshes({ mount, mountUpgrade }: Mounts, services: Services): void {
  mount(operations.listMeshes, ({ query }) => listMeshes(services, query));
  mount(operations.createMesh, ({ body, cause }) => createMesh(services, body, cause));
  mount(operations.getMesh, ({ params }) => readMesh(services, params.meshId));
  mount(operations.updateMesh, ({ params, body, cause }) =>
    updateMesh(services, { meshId: params.meshId, change: body, cause }),
  );
  mount(operations.rotateRelayKey, ({ params, cause }) => rotateRelayKey(services, { ...params, cause }));
  mount(operations.deleteMesh, ({ params, query, cause }) =>
    deleteMesh(services, { meshId: params.meshId, force: query.force, cause }),
  );
  mountUpgrade(operations.watchMesh, ({ params, ...upgrade }) =>
    watchMesh(services, { meshId: params.meshId, ...upgrade }),
  );
}
