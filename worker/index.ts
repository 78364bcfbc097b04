// Entry of the Worker: the fetch handler and the object classes. The app is made once per isolate.
import { env } from "cloudflare:workers";
import { createApp } from "./app.ts";
import { createServices } from "./services.ts";

export { MachineObject } from "./machine-object/machine-object.ts";
export { MeshObject } from "./mesh-object/mesh-object.ts";
export { RelayObject } from "./relay-object/relay-object.ts";

const app = createApp(createServices(env));

export default {
  fetch: (request: Request): Promise<Response> => app.fetch(request),
} satisfies ExportedHandler<Cloudflare.Env>;
