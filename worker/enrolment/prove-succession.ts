// A machine that is known by a former key proves that the one it has took that key's place: the control plane was restored from a backup of before. The proof
// is what both keys signed at each replacement since, and a token that the last of them signed. Whoever has none of these keys is refused after one
// signature, as the known one's is looked at first; D1 is asked nothing that it was not asked for the token already.
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { findChain, type IdentityKeyRequest } from "#schema/wire/identity-key";
import {
  type MachineRequest,
  type MachineTokenFailure,
  readIssuer,
  verifyTokenSignedBy,
} from "../auth/machine-token.ts";
import type { Services } from "../services.ts";
import { isSuccessionValid } from "./verify-proof.ts";

export interface ProvedSuccession {
  readonly machineId: MachineId;
  /** From the one that is known here on, each was replaced by the next, and the last by the key that is asked for. */
  readonly formerKeys: readonly IdentityPublicKey[];
}

/** For a token that is signed by no key that is known of its machine. */
export async function proveSuccession(
  { identityKeys, now }: Pick<Services, "identityKeys" | "now">,
  token: MachineRequest,
  request: IdentityKeyRequest,
): Promise<Result<ProvedSuccession, MachineTokenFailure>> {
  const refusal = err({ code: "signature_invalid" } as const);
  const machineId = readIssuer(token.token);
  if (machineId === null) return refusal;
  // Read a moment ago for the token; not the one before it, which may still sign requests.
  const known = await identityKeys.read(machineId);
  const chain = known.status === "known" ? findChain(request, known.publicKey) : null;
  if (chain === null) return refusal;
  for (const succession of chain) if (!(await isSuccessionValid(machineId, succession))) return refusal;
  const claims = await verifyTokenSignedBy(request.identityKey, token, now());
  return claims.ok ? ok({ machineId, formerKeys: chain.map(({ formerKey }) => formerKey) }) : claims;
}
