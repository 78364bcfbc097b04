// Which keys machines sign with, as the control plane knows them. For the fake control plane.
import { createPublicKey, verify } from "node:crypto";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import { IdentityPublicKey, type MachineId } from "#schema/ids";
import { findChain, IdentityKeyRequest, type IdentitySuccession, toIdentityKeyText } from "#schema/wire/identity-key";
import { parseJson } from "../control/api-failure.ts";

export interface FakeIdentities {
  /** Those that are taken, the newest first; none: the machine has not enrolled. */
  keysOf(machineId: string): readonly string[];
  setKey(machineId: MachineId, key: string): void;
  /** Those, and the one that the request proves to have succeeded the newest. */
  signersOf(machineId: string, body: string): readonly string[];
  /** POST of a machine, or of whoever was refused before. */
  answer(caller: MachineId | ErrorCode, body: string, response: FakeResponse): unknown;
  /** Former keys are taken no more. */
  endOverlap(): void;
  /** The next requests to replace a key are refused with this. */
  refusal: ErrorCode | null;
  /** So many answers to them are lost: what was asked is done. */
  losesAnswers: number;
}

interface FakeResponse {
  reply(status: number, body: unknown): unknown;
  refuse(code: ErrorCode): unknown;
  lose(): unknown;
}

export function createFakeIdentities(onReplaced: (machineId: MachineId) => void): FakeIdentities {
  const keys = new Map<string, readonly string[]>();

  function replace(machineId: MachineId, body: string): { readonly identityKey: string } | ErrorCode {
    if (identities.refusal !== null) return identities.refusal;
    const parsed = IdentityKeyRequest.safeParse(parseJson(body));
    if (!parsed.success) return "validation_failed";
    const { identityKey } = parsed.data;
    const [formerKey = ""] = identities.keysOf(machineId);
    if (formerKey === identityKey) return { identityKey };
    if (!isProved(machineId, parsed.data)) return "signature_invalid";
    keys.set(machineId, [identityKey, formerKey]);
    onReplaced(machineId);
    return { identityKey };
  }

  function isProved(machineId: string, request: IdentityKeyRequest): boolean {
    const known = IdentityPublicKey.safeParse(identities.keysOf(machineId)[0]).data;
    const chain = known === undefined ? null : findChain(request, known);
    return chain?.every((succession) => isSignedByBoth(machineId, succession)) === true;
  }

  const identities: FakeIdentities = {
    keysOf: (machineId) => keys.get(machineId) ?? [],
    signersOf(machineId, body) {
      const known = identities.keysOf(machineId);
      const request = IdentityKeyRequest.safeParse(parseJson(body)).data;
      return request !== undefined && isProved(machineId, request) ? [...known, request.identityKey] : known;
    },
    setKey: (machineId, key) => void keys.set(machineId, [key]),
    answer(caller, body, { reply, refuse, lose }) {
      if (caller in ERROR_STATUS) return refuse(caller as ErrorCode);
      const answer = replace(caller as MachineId, body);
      if (identities.losesAnswers-- > 0) return lose();
      return typeof answer === "string" ? refuse(answer) : reply(200, answer);
    },
    endOverlap() {
      for (const [machineId, known] of keys) keys.set(machineId, known.slice(0, 1));
    },
    refusal: null,
    losesAnswers: 0,
  };
  return identities;
}

function isSignedByBoth(machineId: string, succession: IdentitySuccession): boolean {
  const { formerKey, identityKey, signature, formerSignature } = succession;
  const text = toIdentityKeyText({ machineId, formerKey, identityKey });
  return isSigned(text, formerKey, formerSignature) && isSigned(text, identityKey, signature);
}

/** @param x the public key, as in its JWK */
export function isSigned(text: string, x: string, signature: string): boolean {
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
}
