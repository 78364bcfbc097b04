// A machine of the benchmark: its doorbell and its mesh, over real WebSockets, at times that somebody else says. It knows where it stands and
// acknowledges changes, as the agent does.
import { once } from "node:events";
import type WebSocket from "ws";
import type { Candidate } from "#schema/desired-state";
import { WIRE_VERSION } from "#schema/wire/version";
import { createBareMachine, readFromMesh, sendToMesh } from "../../e2e/fleet/bare-machine.ts";

const AGENT = { agentVersion: "bench", nodeVersion: "bench", kernelVersion: "bench", wireguard: "kernel" } as const;

export interface CostAgent {
  readonly machineId: string;
  readonly meshId: string;
  /** Of its mesh, as it was told last. */
  readonly revision: number;
  /** Bytes of text that it was sent. */
  readonly bytesReceived: number;
  enrol(token: string): Promise<void>;
  /** Both connections; it has been answered on both. */
  connect(): Promise<void>;
  cut(): Promise<void>;
  heartbeatMesh(): Promise<void>;
  heartbeatMachine(): Promise<void>;
  changeEndpoint(): void;
  reportPath(peerId: string, at: string): void;
}

export interface CostAgentOptions {
  readonly origin: string;
  readonly index: number;
  readonly meshId: string;
  readonly now: () => number;
  /** Called when it was told a newer state, and has acknowledged it. */
  readonly onApplied: () => void;
}

export function createCostAgent({ origin, index, meshId, now, onApplied }: CostAgentOptions): CostAgent {
  const machine = createBareMachine(origin, now);
  let position: { epoch: string; revision: number } | null = null;
  let machineRevision = 0;
  let bytesReceived = 0;
  let changes = 0;
  let sockets: { mesh: WebSocket; doorbell: WebSocket } | null = null;
  /** Who waits for the next answer about the mesh, and from the doorbell. */
  const waiting = { mesh: new Set<() => void>(), machine: new Set<() => void>() };

  const candidates = (): Candidate[] =>
    [`192.168.${index >> 8}.${index & 255}:51820`, `203.0.113.${index & 255}:${10_000 + changes}`].map(
      (endpoint) => ({ type: "host", endpoint }) as Candidate,
    );
  const answered = (who: Set<() => void>) => new Promise<void>((resolve) => who.add(resolve));
  function wake(who: Set<() => void>): void {
    for (const resolve of who) resolve();
    who.clear();
  }

  function receiveFromMesh(data: WebSocket.RawData): void {
    bytesReceived += String(data).length;
    const message = readFromMesh(data);
    if (message.type === "error") throw new Error(`${machine.id}: ${message.code}: ${message.message}`);
    if (message.type === "sync.snapshot" || message.type === "sync.changes") {
      position = { epoch: message.epoch, revision: message.revision };
      if (sockets) sendToMesh(sockets.mesh, { type: "sync.applied", ...position, failures: [] });
      onApplied();
    } else if (message.type !== "sync.position") return;
    wake(waiting.mesh);
  }

  function receiveFromMachine(data: WebSocket.RawData): void {
    bytesReceived += String(data).length;
    const message = JSON.parse(String(data)) as { type: string; revision: number };
    if (message.type !== "machine.state") throw new Error(`${machine.id}: ${message.type}`);
    machineRevision = message.revision;
    wake(waiting.machine);
  }

  function open(): { mesh: WebSocket; doorbell: WebSocket } {
    const mesh = machine.openMesh(meshId, () => ({ position, candidates: candidates() }));
    const doorbell = machine.openMachine();
    doorbell.on("open", () =>
      doorbell.send(JSON.stringify({ type: "machine.hello", wireVersion: WIRE_VERSION, agent: AGENT })),
    );
    mesh.on("message", receiveFromMesh);
    doorbell.on("message", receiveFromMachine);
    for (const socket of [mesh, doorbell]) {
      socket.on("close", (code, reason) => {
        if (sockets !== null) throw new Error(`${machine.id} was closed with ${code} ${reason}`);
      });
    }
    return { mesh, doorbell };
  }

  return {
    get machineId() {
      return machine.id;
    },
    get revision() {
      return position?.revision ?? -1;
    },
    get bytesReceived() {
      return bytesReceived;
    },
    meshId,
    enrol: (token) => machine.enrol(token, `bench-${index}`, AGENT),
    async connect() {
      const both = Promise.all([answered(waiting.mesh), answered(waiting.machine)]);
      sockets = open();
      await both;
    },
    async cut() {
      if (sockets === null) return;
      const { mesh, doorbell } = sockets;
      sockets = null;
      const closed = Promise.all([once(mesh, "close"), once(doorbell, "close")]);
      mesh.close(1000);
      doorbell.close(1000);
      await closed;
    },
    async heartbeatMesh() {
      if (sockets === null || position === null) throw new Error(`${machine.id} is not connected`);
      const answer = answered(waiting.mesh);
      sendToMesh(sockets.mesh, { type: "sync.heartbeat", ...position });
      await answer;
    },
    async heartbeatMachine() {
      const answer = answered(waiting.machine);
      sockets?.doorbell.send(JSON.stringify({ type: "machine.heartbeat", revision: machineRevision }));
      await answer;
    },
    changeEndpoint() {
      changes += 1;
      if (sockets) sendToMesh(sockets.mesh, { type: "member.update", candidates: candidates() });
    },
    reportPath(peerId, at) {
      const reason = { code: "direct", message: "direct" } as const;
      const link = { peerId, kind: "path_changed", path: "direct", endpoint: "203.0.113.1:51820", reason, at };
      if (sockets) sendToMesh(sockets.mesh, { type: "link.report", links: [link] } as never);
    },
  };
}
