// A machine without a system: enrols, speaks the wire over a real WebSocket, counts bytes, and acknowledges what it is told.
// A thousand of them live in one process, so it keeps only which members it knows and where it stands.
import type WebSocket from "ws";
import type { Candidate } from "#schema/desired-state";
import { PING, PONG } from "#schema/wire/messages";
import { createBareMachine, readFromMesh, sendToMesh } from "../../e2e/fleet/bare-machine.ts";

const AGENT = { agentVersion: "bench", nodeVersion: "bench", kernelVersion: "bench", wireguard: "kernel" } as const;

const MAX_ATTEMPTS = 10;

export interface SimulatedAgent {
  readonly name: string;
  readonly machineId: string;
  readonly knownMembers: ReadonlySet<string>;
  readonly revision: number;
  /** Bytes of text received since the last reset. */
  bytesReceived: number;
  /** Messages with changes received since the last reset. */
  changesReceived: number;
  /** Called with the type of each message. */
  onMessage: (type: string) => void;
  /** Called after each message that moved its position, once the acknowledgement is handed to the socket. */
  onApplied: (agent: SimulatedAgent) => void;
  enrol(token: string): Promise<void>;
  connect(meshId: string): Promise<void>;
  sendUpdate(candidates: readonly Candidate[]): void;
  /** Keeps it online in the eyes of the control plane. */
  sendPing(): void;
  /** Cuts the connection the hard way, without a closing handshake. */
  cut(): void;
}

export function createSimulatedAgent(origin: string, index: number): SimulatedAgent {
  const machine = createBareMachine(origin);
  const members = new Set<string>();
  let candidates: readonly Candidate[] = candidatesOf(index);
  let position: { epoch: string; revision: number } | null = null;
  let socket: WebSocket | null = null;

  const agent = {
    name: `sim-${index}`,
    get machineId() {
      return machine.id;
    },
    knownMembers: members,
    revision: -1,
    bytesReceived: 0,
    changesReceived: 0,
    onMessage: (_type: string) => {},
    onApplied: (_agent: SimulatedAgent) => {},
    enrol: (token: string) => machine.enrol(token, agent.name, AGENT),
    async connect(meshId: string) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await open(meshId);
        } catch (error) {
          // With thousands at once a token's 60 s may be over before it arrives: a machine comes back with another one.
          const isOver = error instanceof Error && error.message.includes("401") && attempt < MAX_ATTEMPTS;
          if (!isOver) throw error;
        }
      }
    },
    sendUpdate(changed: readonly Candidate[]) {
      candidates = changed;
      if (socket) sendToMesh(socket, { type: "member.update", candidates: [...changed] });
    },
    sendPing() {
      socket?.send(PING);
    },
    cut() {
      socket?.removeAllListeners();
      socket?.on("error", () => {}); // a cut connection may still report its end
      socket?.terminate();
      socket = null;
    },
  };

  function open(meshId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const opened = machine.openMesh(meshId, () => ({ position, candidates: [...candidates] }));
      socket = opened;
      opened.on("error", reject);
      opened.on("close", (code, reason) => reject(new Error(`closed ${code} ${reason.toString()}`)));
      opened.on("message", (data) => {
        receive(data);
        resolve();
      });
    });
  }

  function receive(data: WebSocket.RawData): void {
    const text = String(data);
    if (text === PONG) return;
    agent.bytesReceived += text.length;
    const message = readFromMesh(data);
    agent.onMessage(message.type);
    if (message.type === "error") throw new Error(`${agent.name}: ${message.code}: ${message.message}`);
    if (message.type === "sync.snapshot") {
      members.clear();
      for (const row of message.members) members.add(row.machineId);
    } else if (message.type === "sync.changes") {
      agent.changesReceived += 1;
      for (const machineId of message.removed) members.delete(machineId);
      for (const row of message.changed) members.add(row.machineId);
    } else return;
    position = { epoch: message.epoch, revision: message.revision };
    agent.revision = message.revision;
    if (socket) sendToMesh(socket, { type: "sync.applied", ...position, failures: [] });
    agent.onApplied(agent);
  }
  return agent;
}

/** What a typical machine offers: one address on its LAN, one public. */
const candidatesOf = (index: number): Candidate[] =>
  [`192.168.${index >> 8}.${index & 255}:51820`, `203.0.113.${index & 255}:${10_000 + index}`].map(
    (endpoint) => ({ type: "host", endpoint }) as Candidate,
  );
