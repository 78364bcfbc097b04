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
  /** Its doorbell; says nothing by itself. */
  openMachine(): WebSocket;
}

type MeshHello = Omit<z.input<typeof SyncHello>, "type" | "wireVersion" | "publicKey">;

/** @param now the control plane's clock, where that is not this machine's */
export function createBareMachine(origin: string, now: () => number = Date.now): BareMachine {
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
      const socket = open(AGENT_PATHS.meshSync(meshId));
      socket.on("open", () => {
        const hello = { type: "sync.hello", wireVersion: WIRE_VERSION, publicKey: machine.publicKey, ...toHello() };
        socket.send(JSON.stringify(hello));
      });
      return socket;
    },
    openMachine: () => open(AGENT_PATHS.machineSync),
  };
  function open(path: string): WebSocket {
    const token = signMachineToken(identity.privateKey, { machineId: machine.id, origin, path, nowMs: now() });
    return new WebSocket(origin.replace(/^http/, "ws") + path, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
  }
  return machine;
}

export const sendToMesh = (socket: WebSocket, message: z.input<typeof ToMeshMessage>): void =>
  socket.send(JSON.stringify(message));

/** As the object sent it: what a test reads of it is checked by the test. */
export const readFromMesh = (data: WebSocket.RawData): FromMeshMessage => JSON.parse(String(data)) as FromMeshMessage;

interface SignedRequest {
  readonly machineId: string;
  readonly origin: string;
  readonly path: string;
  readonly nowMs: number;
}

function signMachineToken(key: KeyObject, request: SignedRequest): string {
  const iat = Math.floor(request.nowMs / 1_000);
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
