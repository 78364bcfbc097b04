// Answers a Prometheus. An agent never ends for want of it: an address that is taken, or not there yet (that of a mesh, before the mesh's
// interface has it), is tried again, and told as a failure of the agent meanwhile.
import type { EndpointParts } from "#schema/address";
import type { StepFailure } from "#schema/machine";
import { METRICS_CONTENT_TYPES, toMetricsFormat } from "#schema/metrics/metrics-page";
import { keepSince } from "../reconcile/failures.ts";
import type { Clock } from "../system/clock.ts";
import type { HttpListener, ListenHttp, ListenReply, ListenRequest } from "../system/http-listener.ts";
import type { Logger } from "../system/logger.ts";
import type { AgentMetrics } from "./to-metrics.ts";

export interface MetricsServer {
  failures(): readonly StepFailure[];
  close(): Promise<void>;
}

export interface MetricsServerPorts {
  readonly listenHttp: ListenHttp;
  readonly clock: Clock;
  readonly log: Logger;
  readonly read: () => Promise<AgentMetrics>;
}

const RETRY_MS = 5_000;
/** However many ask, WireGuard and BIRD are not read more often. */
const SHARED_FOR_MS = 1_000;

export function startMetricsServer(ports: MetricsServerPorts, address: EndpointParts): MetricsServer {
  const { listenHttp, clock, log } = ports;
  let listener: HttpListener | null = null;
  let failure: StepFailure | null = null;
  let cancelRetry = () => {};
  let isClosed = false;
  let shared: { readonly atMs: number; readonly page: Promise<AgentMetrics> } | null = null;

  async function listen(): Promise<void> {
    try {
      const opened = await listenHttp(address, answer);
      if (isClosed) return await opened.close();
      listener = opened;
      failure = null;
      log.info("metrics are served", { ...address });
    } catch (error) {
      note(error);
      if (!isClosed) cancelRetry = clock.setTimer(RETRY_MS, begin);
    }
  }

  function note(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const found = { step: "metrics.listen", code: toCode(error), message };
    const before = failure;
    failure = keepSince([found], before === null ? [] : [before], clock.wall())[0] ?? null;
    if (before?.code !== found.code) log.error("metrics can't be served yet", { ...address, error });
  }

  async function answer({ method, path, accept }: ListenRequest): Promise<ListenReply> {
    if (path.split("?")[0] !== "/metrics") return toText(404, "Metrics are at /metrics.\n");
    if (method !== "GET" && method !== "HEAD") return toText(405, "GET only.\n");
    const format = toMetricsFormat(accept);
    const nowMs = clock.now();
    if (shared === null || nowMs - shared.atMs >= SHARED_FOR_MS) shared = { atMs: nowMs, page: ports.read() };
    try {
      return { status: 200, contentType: METRICS_CONTENT_TYPES[format], body: (await shared.page).render(format) };
    } catch (error) {
      shared = null;
      log.error("metrics could not be read", { error });
      return toText(500, "Metrics could not be read; the agent's log says why.\n");
    }
  }

  let opening: Promise<void> = Promise.resolve();
  function begin(): void {
    opening = listen();
  }
  begin();

  return {
    failures: () => (failure === null ? [] : [failure]),
    async close() {
      isClosed = true;
      cancelRetry();
      await opening;
      await listener?.close();
    },
  };
}

const toText = (status: number, body: string): ListenReply => ({
  ...{ status, body },
  contentType: "text/plain; charset=utf-8",
});

function toCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE") return "port_in_use";
  if (code === "EADDRNOTAVAIL") return "address_missing";
  return code === "EACCES" ? "not_permitted" : "unexpected";
}
