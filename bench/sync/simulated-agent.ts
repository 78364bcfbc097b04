// A machine without a system: enrols, speaks the wire over a real WebSocket, counts bytes, and acknowledges what it is told.
// A thousand of them live in one process, so it keeps only which members it knows and where it stands.
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import WebSocket from "ws";
import type { Candidate } from "#schema/desired-state";
import { AGENT_PATHS, EnrolmentReply, toEnrolmentText } from "#schema/wire/enrolment";
import { type FromMeshMessage, PING, PONG } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";

const TOKEN_SECONDS = 60;

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
  const identity = generateKeyPairSync("ed25519");
  const identityKey = String(identity.publicKey.export({ format: "jwk" }).x);
  const publicKey = canonicalKey();
  const members = new Set<string>();
  let candidates: readonly Candidate[] = candidatesOf(index);
  let position: { epoch: string; revision: number } | null = null;
  let socket: WebSocket | null = null;

  const agent = {
    name: `sim-${index}`,
    machineId: "",
    knownMembers: members,
    revision: -1,
    bytesReceived: 0,
    changesReceived: 0,
    onMessage: (_type: string) => {},
    onApplied: (_agent: SimulatedAgent) => {},
    async enrol(token: string) {
      const signature = sign(null, Buffer.from(toEnrolmentText(token, identityKey)), identity.privateKey);
      const response = await fetch(origin + AGENT_PATHS.enrolments, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          token,
          identityKey,
          signature: signature.toString("base64url"),
          hostname: agent.name,
          agent: { agentVersion: "bench", nodeVersion: "bench", kernelVersion: "bench", wireguard: "kernel" },
        }),
      });
      if (!response.ok) throw new Error(`enrolment answered ${response.status}: ${await response.text()}`);
      agent.machineId = EnrolmentReply.parse(await response.json()).machineId;
    },
    connect(meshId: string) {
      return new Promise<void>((resolve, reject) => {
        const path = AGENT_PATHS.meshSync(meshId);
        const token = signMachineToken(identity.privateKey, { machineId: agent.machineId, origin, path });
        const opened = new WebSocket(origin.replace(/^http/, "ws") + path, {
          headers: { authorization: `Bearer ${token}` },
          perMessageDeflate: false,
        });
        socket = opened;
        opened.on("open", () =>
          opened.send(
            JSON.stringify({
              type: "sync.hello",
              wireVersion: WIRE_VERSION,
              position,
              publicKey,
              candidates,
            }),
          ),
        );
        opened.on("error", reject);
        opened.on("close", (code, reason) => reject(new Error(`closed ${code} ${reason.toString()}`)));
        opened.on("message", (data) => {
          receive(String(data));
          resolve();
        });
      });
    },
    sendUpdate(changed: readonly Candidate[]) {
      candidates = changed;
      socket?.send(JSON.stringify({ type: "member.update", candidates }));
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

  function receive(text: string): void {
    if (text === PONG) return;
    agent.bytesReceived += text.length;
    const message = JSON.parse(text) as FromMeshMessage;
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
    socket?.send(JSON.stringify({ type: "sync.applied", ...position, failures: [] }));
    agent.onApplied(agent);
  }
  return agent;
}

function signMachineToken(key: KeyObject, request: { machineId: string; origin: string; path: string }): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: request.machineId,
    aud: request.origin,
    iat,
    exp: iat + TOKEN_SECONDS,
    jti: randomUUID(),
    htm: "GET",
    htu: request.path,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "EdDSA", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

/** Any 32 bytes are a valid X25519 public key; nobody computes with these. */
const canonicalKey = (): string => randomBytes(32).toString("base64");

/** What a typical machine offers: one address on its LAN, one public. */
const candidatesOf = (index: number): Candidate[] =>
  [`192.168.${index >> 8}.${index & 255}:51820`, `203.0.113.${index & 255}:${10_000 + index}`].map(
    (endpoint) => ({ type: "host", endpoint }) as Candidate,
  );
