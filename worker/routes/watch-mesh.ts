// The way of an authenticated person to the Mesh object, as a WebSocket. The request is built anew, so that nothing that a client sent under a
// trusted name gets through.
import type { MeshId } from "#schema/ids";
import type { Caller } from "../auth/caller.ts";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import type { Services } from "../services.ts";
import { pickHeaders } from "./machine-request.ts";

export function watchMesh(
  { objects }: Pick<Services, "objects">,
  {
    meshId,
    caller,
    request,
    requestId,
  }: { readonly meshId: MeshId; readonly caller: Caller; readonly request: Request; readonly requestId: string },
): Promise<Response> {
  const headers = pickHeaders(request.headers);
  const { kind, id } = caller.actor;
  headers.set(TRUSTED_HEADERS.watcher, `${kind}:${id ?? ""}`);
  headers.set(TRUSTED_HEADERS.requestId, requestId);
  return objects.mesh(meshId).fetch(new Request(request.url, { headers }));
}
