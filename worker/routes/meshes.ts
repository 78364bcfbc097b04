import * as operations from "#schema/api/meshes";
import { createMesh } from "../meshes/create-mesh.ts";
import { deleteMesh } from "../meshes/delete-mesh.ts";
import { listMeshes, readMesh } from "../meshes/read-meshes.ts";
import { updateMesh } from "../meshes/update-mesh.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountMeshes(mount: Mount, services: Services): void {
  mount(operations.listMeshes, ({ query }) => listMeshes(services, query));
  mount(operations.createMesh, ({ body, cause }) => createMesh(services, body, cause));
  mount(operations.getMesh, ({ params }) => readMesh(services, params.meshId));
  mount(operations.updateMesh, ({ params, body, cause }) =>
    updateMesh(services, { meshId: params.meshId, change: body, cause }),
  );
  mount(operations.deleteMesh, ({ params, query, cause }) =>
    deleteMesh(services, { meshId: params.meshId, force: query.force, cause }),
  );
}
