// A machine that says what it was told to say: it enrols, stays connected to its meshes, applies all it hears, and answers what the
// dashboard asks of machines. No tunnel is there.
import { once } from "node:events";
import type WebSocket from "ws";
import type { z } from "zod";
import { PING, PONG, type ToMeshMessage } from "#schema/wire/messages";
import { createBareMachine, readFromMesh, sendToMesh } from "../fleet/bare-machine.ts";
import type { SeenControlPlane } from "./seen-control-plane.ts";

const AGENT = {
  agentVersion: "0.1.0",
  nodeVersion: "v24.21.0",
  kernelVersion: "6.1.0-40-amd64",
  wireguard: "kernel",
  buildSha256: "a".repeat(64),
} as const;

/** It lets nobody upgrade its agent. */
const UNWILLING = "home-nas";

/** Presence is judged to 60 s. */
const PING_EVERY_MS = 20_000;
const REPORT_EVERY_MS = 1_000;

type Said<Type extends ToMeshMessage["type"]> = Extract<z.input<typeof ToMeshMessage>, { type: Type }>;
export type Telemetry = Omit<Said<"telemetry.report">, "type" | "isSteady">;

/** What it says in one mesh; nothing where it is left out. */
export interface Told {
  readonly nat?: Said<"sync.hello">["nat"];
  readonly failures?: Said<"sync.applied">["failures"];
  readonly links?: Said<"link.report">["links"];
  readonly routes?: Said<"rib.report">["routes"];
  /** What its health checks say. */
  readonly checks?: Said<"checks.report">["checks"];
  /** Asked for anew each time. */
  readonly toTelemetry?: () => Telemetry;
}

export interface ToldMachine {
  readonly id: string;
  readonly name: string;
  /** It is online from then on. */
  connect(meshId: string, told?: Told): Promise<void>;
  stop(): void;
}

/** @param meshIds the meshes to join; left out: the default one */
export async function enrolMachine(
  { url, call }: Pick<SeenControlPlane, "url" | "call">,
  name: string,
  meshIds?: readonly string[],
): Promise<ToldMachine> {
  const { token } = await call("POST", "/join-tokens", { maxUses: 1, ...(meshIds ? { meshIds } : {}) });
  const machine = createBareMachine(url);
  await machine.enrol(String(token), name, { ...AGENT, allowsUpgrades: name !== UNWILLING });
  const stops: (() => void)[] = [];
  return {
    id: machine.id,
    name,
    async connect(meshId, told = {}) {
      const nat = told.nat ? { nat: told.nat } : {};
      const socket = machine.openMesh(meshId, () => ({ position: null, candidates: [], ...nat }));
      const watch = createWatch(socket, told);
      socket.on("message", (data) => answer(socket, { told, watch }, data));
      const ping = setInterval(() => socket.send(PING), PING_EVERY_MS);
      stops.push(() => {
        clearInterval(ping);
        watch(0);
        socket.terminate();
      });
      await once(socket, "message");
      if (told.links) sendToMesh(socket, { type: "link.report", links: told.links });
      if (told.checks) sendToMesh(socket, { type: "checks.report", checks: told.checks, isAll: true });
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}

interface Means {
  readonly told: Told;
  readonly watch: (seconds: number) => void;
}

function answer(socket: WebSocket, { told, watch }: Means, data: WebSocket.RawData): void {
  if (String(data) === PONG) return;
  const message = readFromMesh(data);
  if (message.type === "error") throw new Error(`the object refused: ${message.code}: ${message.message}`);
  if (message.type === "sync.snapshot" || message.type === "sync.changes") {
    const { epoch, revision } = message;
    sendToMesh(socket, { type: "sync.applied", epoch, revision, failures: told.failures ?? [] });
  } else if (message.type === "telemetry.watch") {
    watch(message.seconds);
  } else if (message.type === "rib.request") {
    const { requestId } = message;
    const routes = told.routes ?? [];
    sendToMesh(socket, { type: "rib.report", requestId, routes, isTruncated: false, problem: null });
  }
}

/** A message holds so many peers; the rest follow. */
const PEERS_IN_PART = 40;

function sendTelemetry(socket: WebSocket, { peers, ...rest }: Telemetry): void {
  for (let from = 0; from === 0 || from < peers.length; from += PEERS_IN_PART) {
    const hasMore = from + PEERS_IN_PART < peers.length;
    const part = from === 0 ? rest : NOTHING;
    const contents = { ...part, peers: peers.slice(from, from + PEERS_IN_PART) };
    sendToMesh(socket, { type: "telemetry.report", ...contents, isSteady: true, ...(hasMore && { hasMore }) });
  }
}

const NOTHING: Telemetry = { peers: [], endpoints: [], nat: null, announcements: [] };

/** Reports at once, and then every second for as long as somebody looks. */
function createWatch(socket: WebSocket, { toTelemetry = () => NOTHING }: Told): (seconds: number) => void {
  let timer: NodeJS.Timeout | undefined;
  return (seconds) => {
    clearInterval(timer);
    let left = seconds;
    const report = () => {
      left -= 1;
      if (left < 0 || socket.readyState !== socket.OPEN) clearInterval(timer);
      else sendTelemetry(socket, toTelemetry());
    };
    report();
    timer = setInterval(report, REPORT_EVERY_MS);
  };
}
