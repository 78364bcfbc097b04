// One relayed pair. It forwards sealed frames between two sockets, stores nothing, and has no timers and no pending promises, so that it
// hibernates as soon as nothing passes: but for a question to the mesh every ten minutes.
import { DurableObject } from "cloudflare:workers";
import { toRelayMesh } from "#schema/wire/relay";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import { guardFrame } from "../durable/guard-frame.ts";
import { releaseReply } from "../durable/release-reply.ts";
import type { Env } from "../env.ts";
import { createLogger, type Logger, parseLogLevel } from "../log.ts";
import { createObjects } from "../objects.ts";
import { toProblemResponse } from "../problem.ts";
import { createAdmission } from "./admission.ts";
import { createRelay, type Relay } from "./relay.ts";
import type { RelayObjectRpc } from "./rpc.ts";
import { createTicketVerifier } from "./verify-ticket.ts";

export class RelayObject extends DurableObject<Env> implements RelayObjectRpc {
  readonly #log: Logger;
  readonly #relay: Relay;
  readonly #admit: ReturnType<typeof createAdmission>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#log = createLogger(parseLogLevel(env.BECKET_LOG_LEVEL));
    const objects = createObjects(env);
    const relayName = ctx.id.name ?? "";
    this.#relay = createRelay(ctx, {
      now: Date.now,
      log: this.#log,
      areMembers: (machineIds) => objects.mesh(toRelayMesh(relayName)).hasMembers(machineIds),
    });
    const tickets = createTicketVerifier({
      relayName,
      async readKey(meshId, keyId) {
        const key = await objects.mesh(meshId).readRelayKey(keyId);
        return key === null ? null : releaseReply(key);
      },
      now: Date.now,
    });
    this.#admit = createAdmission(tickets, Date.now);
  }

  override async fetch(request: Request): Promise<Response> {
    const admitted = await this.#admit(request);
    if (admitted.ok) return this.#relay.open(admitted.value.machineId, admitted.value.peerId);
    return toProblemResponse(admitted.error, request.headers.get(TRUSTED_HEADERS.requestId) ?? "");
  }

  override webSocketMessage(webSocket: WebSocket, frame: string | ArrayBuffer): void {
    guardFrame(webSocket, { log: this.#log, failure: "a relay's frame failed" }, () =>
      this.#relay.receive(webSocket, frame),
    );
  }

  override webSocketClose(webSocket: WebSocket): void {
    this.#relay.closed(webSocket);
  }

  override webSocketError(webSocket: WebSocket): void {
    this.#relay.closed(webSocket);
  }
}
