// Mounts an operation that becomes a WebSocket: whoever asks is authenticated here, as for any other operation, and its object goes on.
import type { Operation } from "#schema/api/operation";
import { err, ok, type Result } from "#schema/result";
import type { Caller } from "../auth/caller.ts";
import type { Failure } from "../failure.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { type Api, authorize, type Call, parseInput, toRoutePath } from "./mount-operation.ts";

export interface Upgrade<O extends Operation> extends Pick<Call<O>, "params"> {
  readonly caller: Caller;
  readonly request: Request;
  readonly requestId: string;
  /** Before it was looked up who calls: what was revoked since may be missing there. */
  readonly checkedAtMs: number;
}
/** Answers 101 with the socket, or a problem. */
export type UpgradeHandler<O extends Operation> = (upgrade: Upgrade<O>) => Promise<Response>;

export function mountUpgrade<const O extends Operation>(
  api: Api,
  services: Services,
  operation: O,
  handler: UpgradeHandler<O>,
): void {
  api.on(operation.method, toRoutePath(operation.path), async (context) => {
    const request = context.req.raw;
    const { requestId } = context.env;
    const checkedAtMs = services.now();
    const upgrade = await parse(request, context.req.param());
    if (upgrade.ok) return handler({ ...upgrade.value, request, requestId, checkedAtMs });
    // RFC 9110 section 15.5.22: a 426 names the protocol.
    const headers = upgrade.error.code === "upgrade_required" ? { upgrade: "websocket", connection: "upgrade" } : {};
    return toProblemResponse(upgrade.error, requestId, headers);
  });

  async function parse(
    request: Request,
    pathParams: Record<string, string>,
  ): Promise<Result<Pick<Upgrade<O>, "params" | "caller">, Failure>> {
    const caller = await authorize(services, operation, request);
    if (!caller.ok) return caller;
    const input = await parseInput(operation, request, pathParams);
    if (!input.ok) return input;
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return err({ code: "upgrade_required", detail: "this is a WebSocket: upgrade the request" });
    }
    return ok({ params: input.value.params as Upgrade<O>["params"], caller: caller.value });
  }
}
