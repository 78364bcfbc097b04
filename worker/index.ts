import { MachineObject } from "./machine-object/machine-object.ts";
import { MeshObject } from "./mesh-object/mesh-object.ts";

export { MachineObject, MeshObject };

export default {
  fetch: (): Response => new Response(null, { status: 503 }),
};
