// Judges a machine token as the control plane does: signature, origin, method, path, time, replay.
import { MAX_MACHINE_TOKEN_SECONDS } from "#schema/limits";
import { MachineClaims } from "#schema/wire/enrolment";
import { isSigned } from "./fake-identities.ts";

export interface TokenCheck {
  readonly header: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly audience: string;
  readonly nowMs: number;
  /** The keys of a machine; none when there is no such machine. */
  readonly keysOf: (machineId: string) => readonly string[];
  readonly seen: Set<string>;
}

const TOLERANCE_SECONDS = 5;

/** The machine's claims, or the problem code. */
export function verifyMachineToken(check: TokenCheck): MachineClaims | string {
  const [head = "", body = "", signature = ""] = (check.header ?? "").replace(/^Bearer /, "").split(".");
  const claims = MachineClaims.safeParse(decode(body));
  if (!claims.success) return "machine_token_invalid";
  const { iss, aud, iat, exp, jti, htm, htu } = claims.data;
  const keys = check.keysOf(iss);
  if (keys.length === 0) return "machine_not_found";
  if (!keys.some((key) => isSigned(`${head}.${body}`, key, signature))) return "signature_invalid";
  if (aud !== check.audience || htm !== check.method || htu !== check.path) return "machine_token_mismatched";
  const now = check.nowMs / 1_000;
  if (exp - iat > MAX_MACHINE_TOKEN_SECONDS || exp <= now) return "machine_token_expired";
  if (iat > now + TOLERANCE_SECONDS) return "machine_token_not_yet_valid";
  if (check.seen.has(jti)) return "machine_token_replayed";
  check.seen.add(jti);
  return claims.data;
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    // No JSON is no claims.
    return null;
  }
}
