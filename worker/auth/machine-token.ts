// Machine tokens, which are JWTs: who signed, for whom, for which request, when. Replays are the objects' to refuse: they see every token of theirs.
import { compactVerify, decodeJwt, decodeProtectedHeader } from "jose";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { MAX_MACHINE_TOKEN_SECONDS } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { MachineClaims } from "#schema/wire/enrolment";
import type { Failure } from "../failure.ts";
import { type Identity, type IdentityKeys, importIdentityKey } from "./identity-keys.ts";

/** A clock may run ahead of ours by this much; the agent corrects larger skews from the Date header of the refusal. */
const MAX_CLOCK_AHEAD_SECONDS = 5;

export interface MachineRequest {
  readonly token: string | null;
  readonly method: string;
  readonly path: string;
  /** Our own origin: the only audience that is accepted. */
  readonly origin: string;
}

export type MachineTokenFailure = Failure<
  | "unauthenticated"
  | "machine_token_invalid"
  | "machine_token_expired"
  | "machine_token_not_yet_valid"
  | "machine_token_mismatched"
  | "signature_invalid"
  | "machine_not_found"
  | "machine_removed"
>;

export async function verifyMachineToken(
  { identityKeys, now }: { identityKeys: Pick<IdentityKeys, "read" | "readAgain">; now: () => number },
  request: MachineRequest,
): Promise<Result<MachineClaims, MachineTokenFailure>> {
  if (request.token === null) return err({ code: "unauthenticated" });
  const claims = parseClaims(request.token);
  if (claims === null) return err({ code: "machine_token_invalid" });
  const identity = await identityKeys.read(claims.iss);
  if (identity.status === "removed") return err({ code: "machine_removed" });
  if (identity.status === "unknown") return err({ code: "machine_not_found" });
  // The signature comes before what the claims say, so that the answers about claims go to the machine itself only.
  if (!(await isSignedByMachine(request.token, identity, now()))) {
    const newest = await identityKeys.readAgain(claims.iss);
    const isSigned = newest?.status === "known" && (await isSignedByMachine(request.token, newest, now()));
    if (!isSigned) return err({ code: "signature_invalid" });
  }
  return checkClaims(claims, request, now());
}

/** The same for a machine that another key is known of here than the one that signed. */
export async function verifyTokenSignedBy(
  identityKey: IdentityPublicKey,
  request: MachineRequest,
  nowMs: number,
): Promise<Result<MachineClaims, MachineTokenFailure>> {
  const claims = request.token === null ? null : parseClaims(request.token);
  if (request.token === null || claims === null) return err({ code: "machine_token_invalid" });
  if (!(await isSignedBy(request.token, await importIdentityKey(identityKey))))
    return err({ code: "signature_invalid" });
  return checkClaims(claims, request, nowMs);
}

/** Whose token it says it is. Anybody can say so; a wrong one costs a signature's check, as the machine's key is at hand. */
export function readIssuer(token: string | null): MachineId | null {
  return token === null ? null : (parseClaims(token)?.iss ?? null);
}

function parseClaims(token: string): MachineClaims | null {
  try {
    if (decodeProtectedHeader(token).alg !== "EdDSA") return null;
    return MachineClaims.safeParse(decodeJwt(token)).data ?? null;
  } catch {
    // jose throws on anything that is no JWT: for us that is one answer.
    return null;
  }
}

async function isSignedByMachine(
  token: string,
  { key, former }: Identity & { readonly status: "known" },
  nowMs: number,
): Promise<boolean> {
  if (await isSignedBy(token, key)) return true;
  return former !== null && former.until > nowMs && isSignedBy(token, former.key);
}

async function isSignedBy(token: string, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: ["EdDSA"] });
    return true;
  } catch {
    // The key was imported and the token decoded before: what is left is the signature.
    return false;
  }
}

function checkClaims(
  claims: MachineClaims,
  request: MachineRequest,
  nowMs: number,
): Result<MachineClaims, MachineTokenFailure> {
  const failure = checkBinding(claims, request) ?? checkTimes(claims, Math.floor(nowMs / 1_000));
  return failure === null ? ok(claims) : err(failure);
}

function checkBinding(claims: MachineClaims, request: MachineRequest): MachineTokenFailure | null {
  const mismatch = (claim: string, is: string, expected: string): MachineTokenFailure => ({
    code: "machine_token_mismatched",
    detail: `the token's ${claim} is ${is}, this request needs ${expected}`,
  });
  if (claims.aud !== request.origin) return mismatch("aud", claims.aud, request.origin);
  if (claims.htm !== request.method) return mismatch("htm", claims.htm, request.method);
  if (claims.htu !== request.path) return mismatch("htu", claims.htu, request.path);
  return null;
}

function checkTimes({ iat, exp }: MachineClaims, nowSeconds: number): MachineTokenFailure | null {
  if (exp <= iat || exp - iat > MAX_MACHINE_TOKEN_SECONDS) {
    return { code: "machine_token_invalid", detail: `exp must be at most ${MAX_MACHINE_TOKEN_SECONDS} s after iat` };
  }
  if (exp <= nowSeconds) return { code: "machine_token_expired" };
  if (iat > nowSeconds + MAX_CLOCK_AHEAD_SECONDS) return { code: "machine_token_not_yet_valid" };
  return null;
}
