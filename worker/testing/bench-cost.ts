// The Worker of `bench cost`: the real one, counted, by a clock that the benchmark moves.

import { env } from "cloudflare:workers";
import { createApp } from "../app.ts";
import { MachineObject } from "../machine-object/machine-object.ts";
import { MeshObject } from "../mesh-object/mesh-object.ts";
import { createServices } from "../services.ts";
import {
  billed,
  countAlarms,
  countDatabase,
  countEvents,
  countRows,
  resetBilled,
  settleCursors,
} from "./count-billed.ts";
import { setVirtualTime } from "./virtual-clock.ts";

export { RelayObject } from "../relay-object/relay-object.ts";

countEvents(MeshObject);
countEvents(MachineObject);
countDatabase();

class CountedMesh extends MeshObject {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    countRows(ctx.storage);
    super(ctx, bindings);
  }
}
class CountedMachine extends MachineObject {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    countRows(ctx.storage);
    super(ctx, bindings);
  }
}

export { CountedMachine as MachineObject, CountedMesh as MeshObject };

const app = createApp(createServices(env));

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/bench/clock":
        setVirtualTime(Number(searchParams.get("ms")));
        return new Response(null, { status: 204 });
      case "/bench/reset":
        settleCursors();
        resetBilled();
        return new Response(null, { status: 204 });
      case "/bench/billed":
        settleCursors();
        return Response.json({ ...billed, alarms: countAlarms() });
      default:
        billed.workerRequests += 1;
        return app.fetch(request);
    }
  },
};
