// What the agent answers on its socket.
import { DownRequest, ExplainRequest, LOCAL_PATHS, RoutesRequest } from "#schema/local/status";
import type { Agent } from "../agent.ts";
import type { LocalReply, LocalRequest } from "../system/local-socket.ts";

export function createLocalApi(agent: Agent): (request: LocalRequest) => Promise<LocalReply> {
  return async ({ method, path, body }) => {
    const called = `${method} ${path}`;
    if (called === `GET ${LOCAL_PATHS.status}`) return { status: 200, body: await agent.status() };
    if (called === `GET ${LOCAL_PATHS.peers}`) return { status: 200, body: await agent.peers() };
    if (called === `POST ${LOCAL_PATHS.explain}`) {
      const request = ExplainRequest.safeParse(body);
      if (request.success) {
        await agent.readSessions();
        return { status: 200, body: agent.explain(request.data.peer) };
      }
      return { status: 422, body: { code: "validation_failed", message: "expected {peer: string}" } };
    }
    if (called === `POST ${LOCAL_PATHS.netcheck}`) return { status: 200, body: { report: await agent.netcheck() } };
    if (called === `POST ${LOCAL_PATHS.routes}`) {
      const request = RoutesRequest.safeParse(body);
      if (request.success) return { status: 200, body: await agent.routes(request.data.prefix) };
      return { status: 422, body: { code: "validation_failed", message: "expected {prefix?: a network}" } };
    }
    if (called === `POST ${LOCAL_PATHS.down}`) {
      const request = DownRequest.safeParse(body);
      if (request.success) return { status: 200, body: await agent.down(request.data) };
      return { status: 422, body: { code: "validation_failed", message: "expected {forget?: boolean}" } };
    }
    return { status: 404, body: { code: "not_found", message: `there is no ${called}` } };
  };
}
