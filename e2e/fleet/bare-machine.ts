// A machine without a system: an identity that enrols, and opens the connection to a mesh. Whoever holds it reads and writes the messages.
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import WebSocket from "ws";
import type { z } from "zod";
import type { AgentInfo } from "#schema/machine";
import { AGENT_PATHS, EnrolmentReply, type MachineClaims, toEnrolmentText } from "#schema/wire/enrolment";
import type { FromMeshMessage, SyncHello, ToMeshMessage } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";

const TOKEN_SECONDS = 60;

export interface BareMachine {
  /** Empty before it is enrolled. */
  readonly id: string;
  /** Any 32 bytes are a valid X25519 public key; nobody computes with these. */
  readonly publicKey: string;
  enrol(token: string, hostname: string, agent: AgentInfo): Promise<void>;
  /** Says hello as soon as it is open. */
  openMesh(meshId: string, toHello: () => MeshHello): WebSocket;
}

type MeshHello = Omit<z.input<typeof SyncHello>, "type" | "wireVersion" | "publicKey">;

export function createBareMachine(origin: string): BareMachine {
  const identity = generateKeyPairSync("ed25519");
  const identityKey = String(identity.publicKey.export({ format: "jwk" }).x);
  const machine = {
    id: "",
    publicKey: randomBytes(32).toString("base64"),
    async enrol(token: string, hostname: string, agent: AgentInfo) {
      const signature = sign(null, Buffer.from(toEnrolmentText(token, identityKey)), identity.privateKey);
      const response = await fetch(origin + AGENT_PATHS.enrolments, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token, identityKey, signature: signature.toString("base64url"), hostname, agent }),
      });
      if (!response.ok) throw new Error(`enrolment answered ${response.status}: ${await response.text()}`);
      machine.id = EnrolmentReply.parse(await response.json()).machineId;
    },
    openMesh(meshId: string, toHello: () => MeshHello) {
      const path = AGENT_PATHS.meshSync(meshId);
      const token = signMachineToken(identity.privateKey, { machineId: machine.id, origin, path });
      const socket = new WebSocket(origin.replace(/^http/, "ws") + path, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
      });
      socket.on("open", () => {
        const hello = { type: "sync.hello", wireVersion: WIRE_VERSION, publicKey: machine.publicKey, ...toHello() };
        socket.send(JSON.stringify(hello));
      });
      return socket;
    },
  };
  return machine;
}

export const sendToMesh = (socket: WebSocket, message: z.input<typeof ToMeshMessage>): void =>
  socket.send(JSON.stringify(message));

/** As the object sent it: what a test reads of it is checked by the test. */
export const readFromMesh = (data: WebSocket.RawData): FromMeshMessage => JSON.parse(String(data)) as FromMeshMessage;

function signMachineToken(key: KeyObject, request: { machineId: string; origin: string; path: string }): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims: Record<keyof MachineClaims, unknown> = {
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
