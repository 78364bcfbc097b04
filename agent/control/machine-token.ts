// The JWT (RFC 7519, EdDSA by RFC 8037) that a machine signs for one request: bound to its method and path, good for a minute.
import type { MachineId } from "#schema/ids";
import { MAX_MACHINE_TOKEN_SECONDS } from "#schema/limits";
import type { MachineClaims } from "#schema/wire/enrolment";
import { createRandomId, type Ed25519Key, toBase64Url } from "../system/ed25519.ts";

export interface MachineTokenRequest {
  readonly machineId: MachineId;
  /** The control plane's origin. */
  readonly audience: string;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** The time at the control plane. */
  readonly nowMs: number;
}

export function signMachineToken(key: Ed25519Key, request: MachineTokenRequest): string {
  const issuedAt = Math.floor(request.nowMs / 1_000);
  const claims: MachineClaims = {
    iss: request.machineId,
    aud: request.audience,
    iat: issuedAt,
    exp: issuedAt + MAX_MACHINE_TOKEN_SECONDS,
    jti: createRandomId(),
    htm: request.method,
    htu: request.path,
  };
  const signed = `${toBase64Url(JSON.stringify({ alg: "EdDSA", typ: "JWT" }))}.${toBase64Url(JSON.stringify(claims))}`;
  return `${signed}.${key.sign(signed)}`;
}
