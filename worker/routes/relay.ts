// The way of an authenticated machine to the Relay object of it and a peer.
import type { Context } from "hono";
import { MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { toRelayName } from "#schema/wire/relay";
import type { Failure } from "../failure.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { authenticateMachine, forwardToObject } from "./machine-request.ts";
import type { RequestEnv } from "./mount-operation.ts";

export async function openRelay(services: Services, { req, env }: Context<RequestEnv>): Promise<Response> {
  const { requestId } = env;
  const claims = await authenticateMachine(services, req);
  if (!claims.ok) return toProblemResponse(claims.error, requestId);
  const name = parseRelayName({ meshId: req.param("meshId"), peerId: req.param("peerId") }, claims.value.iss);
  if (!name.ok) return toProblemResponse(name.error, requestId);
  if (req.header("upgrade")?.toLowerCase() !== "websocket") {
    return toProblemResponse({ code: "bad_request", detail: "a relay is a WebSocket: upgrade the request" }, requestId);
  }
  return forwardToObject(req.raw, services.objects.relay(name.value), { claims: claims.value, requestId });
}

function parseRelayName(
  params: Partial<Record<"meshId" | "peerId", string | undefined>>,
  machineId: MachineId,
): Result<string, Failure> {
  const meshId = MeshId.safeParse(params.meshId);
  if (!meshId.success) return err({ code: "mesh_not_found" });
  const peerId = MachineId.safeParse(params.peerId);
  if (!peerId.success || peerId.data === machineId) return err({ code: "peer_not_found" });
  return ok(toRelayName(meshId.data, machineId, peerId.data));
}
