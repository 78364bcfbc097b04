// The way of an authenticated person to the Mesh object, as a WebSocket. The request is built anew, so that nothing that a client sent under a
// trusted name gets through.
import type { watchMesh as operation } from "#schema/api/meshes";
import type { MeshId } from "#schema/ids";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import type { Services } from "../services.ts";
import { pickHeaders } from "./machine-request.ts";
import type { Upgrade } from "./mount-upgrade.ts";

export interface WatchRequest
  extends Pick<Upgrade<typeof operation>, "caller" | "request" | "requestId" | "checkedAtMs"> {
  readonly meshId: MeshId;
}

export function watchMesh(
  { objects }: Pick<Services, "objects">,
  { meshId, caller, request, requestId, checkedAtMs }: WatchRequest,
): Promise<Response> {
  const headers = pickHeaders(request.headers);
  const { kind, id } = caller.actor;
  headers.set(TRUSTED_HEADERS.watcher, `${kind}:${id ?? ""}`);
  if (caller.signedIn !== null) headers.set(TRUSTED_HEADERS.watcherSession, `session:${caller.signedIn.session.id}`);
  headers.set(TRUSTED_HEADERS.watcherCheckedAt, String(checkedAtMs));
  headers.set(TRUSTED_HEADERS.requestId, requestId);
  return objects.mesh(meshId).fetch(new Request(request.url, { headers }));
}
