// A machine as the HTTP side sees it: an identity key that signs enrolments and tokens.
import { base64url, SignJWT } from "jose";
import { createJoinToken } from "#schema/api/join-tokens";
import { IdentityPublicKey, type MachineId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import {
  AGENT_PATHS,
  EnrolmentReply,
  type EnrolmentRequest,
  type MachineClaims,
  toEnrolmentText,
} from "#schema/wire/enrolment";
import { type IdentityKeyRequest, type IdentitySuccession, toIdentityKeyText } from "#schema/wire/identity-key";
import { ORIGIN, type TestApp } from "./create-test-app.ts";
import type { SendRequest } from "./fake-agent.ts";

export interface Identity {
  readonly publicKey: IdentityPublicKey;
  readonly privateKey: CryptoKey;
}

export const AGENT_INFO = {
  agentVersion: "0.1.0",
  nodeVersion: "24.0.0",
  kernelVersion: "6.18",
  wireguard: "kernel",
} as const;

export async function createIdentity(): Promise<Identity> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const raw = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
  return { publicKey: IdentityPublicKey.parse(base64url.encode(new Uint8Array(raw))), privateKey: pair.privateKey };
}

export async function toEnrolmentRequest(
  identity: Identity,
  { token, hostname = "host", agent = AGENT_INFO }: { token: string; hostname?: string; agent?: AgentInfo | undefined },
): Promise<EnrolmentRequest> {
  const signature = await signText(identity, toEnrolmentText(token, identity.publicKey));
  return { token, identityKey: identity.publicKey, signature, hostname, agent };
}

async function signText({ privateKey }: Identity, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return base64url.encode(new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, bytes)));
}

/** What two keys of a machine sign, right unless another signs in place of one of them. */
export async function toIdentitySuccession(
  { machineId, identity }: Pick<EnrolledMachine, "identity" | "machineId">,
  next: Identity,
  signers: { readonly former?: Identity; readonly next?: Identity } = {},
): Promise<IdentitySuccession> {
  const keys = { formerKey: identity.publicKey, identityKey: next.publicKey };
  const text = toIdentityKeyText({ machineId, ...keys });
  return {
    ...keys,
    signature: await signText(signers.next ?? next, text),
    formerSignature: await signText(signers.former ?? identity, text),
  };
}

/** A machine's request for another identity key. */
export async function toIdentityKeyRequest(
  ...asked: Parameters<typeof toIdentitySuccession>
): Promise<IdentityKeyRequest> {
  const { formerKey: _, ...succession } = await toIdentitySuccession(...asked);
  return { ...succession, earlier: [] };
}

export const postEnrolment = (app: TestApp, body: unknown): Promise<Response> =>
  app.fetch(AGENT_PATHS.enrolments, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

export interface EnrolledMachine extends EnrolmentReply {
  readonly identity: Identity;
}

/** Enrols a new machine, by a token of its own unless one is given. */
export async function enrolMachine(
  app: TestApp,
  options: {
    hostname?: string;
    token?: string;
    meshIds?: readonly string[];
    identity?: Identity;
    agent?: AgentInfo;
  } = {},
): Promise<EnrolledMachine> {
  const identity = options.identity ?? (await createIdentity());
  const body = options.meshIds === undefined ? {} : { meshIds: options.meshIds };
  const token = options.token ?? (await app.call(createJoinToken, { body })).reply.token;
  const request = await toEnrolmentRequest(identity, {
    token,
    hostname: options.hostname ?? "host",
    agent: options.agent,
  });
  const response = await postEnrolment(app, request);
  if (!response.ok) throw new Error(`enrolment answered ${response.status}: ${await response.text()}`);
  return { ...EnrolmentReply.parse(await response.json()), identity };
}

/** A token for one request, good unless `claims` say otherwise. */
export function signMachineToken(
  { privateKey }: Identity,
  machineId: MachineId,
  claims: Partial<MachineClaims> & Pick<MachineClaims, "htu">,
): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  const defaults = { iss: machineId, aud: ORIGIN, iat, exp: iat + 60, jti: crypto.randomUUID(), htm: "GET" };
  return new SignJWT({ ...defaults, ...claims }).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey);
}

/** The machine's way to one of its objects through the app, for the parts of fake-agent.ts. */
export function toApp(
  app: TestApp,
  machine: Pick<EnrolledMachine, "identity" | "machineId">,
  path: string,
): SendRequest {
  return ({ method, isUpgrade = false, query = {}, body }) => {
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const headers: Record<string, string> = isUpgrade ? { upgrade: "websocket" } : {};
    return fetchAs(app, machine, `${path}?${search}`, { method, headers, ...(body === undefined ? {} : { body }) });
  };
}

/** A signed request of the machine to one of its objects. */
export async function fetchAs(
  app: TestApp,
  { identity, machineId }: Pick<EnrolledMachine, "identity" | "machineId">,
  path: string,
  { claims = {}, ...init }: RequestInit & { claims?: Partial<MachineClaims> } = {},
): Promise<Response> {
  const htu = path.split("?")[0] ?? path;
  const token = await signMachineToken(identity, machineId, { htm: init.method ?? "GET", htu, ...claims });
  return app.fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
}
