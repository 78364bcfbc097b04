// Which keys machines sign with, as the control plane knows them. For the fake control plane.
import { createPublicKey, verify } from "node:crypto";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import type { MachineId } from "#schema/ids";
import { IdentityKeyRequest, toIdentityKeyText } from "#schema/wire/identity-key";

export interface FakeIdentities {
  /** Those that are taken, the newest first; none: the machine has not enrolled. */
  keysOf(machineId: string): readonly string[];
  setKey(machineId: MachineId, key: string): void;
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
    const parsed = IdentityKeyRequest.safeParse(JSON.parse(body));
    if (!parsed.success) return "validation_failed";
    const { identityKey, signature, formerSignature } = parsed.data;
    const [formerKey = ""] = identities.keysOf(machineId);
    if (formerKey === identityKey) return { identityKey };
    const text = toIdentityKeyText({ machineId, formerKey, identityKey });
    const isProved = isSigned(text, formerKey, formerSignature) && isSigned(text, identityKey, signature);
    if (!isProved) return "signature_invalid";
    keys.set(machineId, [identityKey, formerKey]);
    onReplaced(machineId);
    return { identityKey };
  }

  const identities: FakeIdentities = {
    keysOf: (machineId) => keys.get(machineId) ?? [],
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

/** @param x the public key, as in its JWK */
export function isSigned(text: string, x: string, signature: string): boolean {
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
}
