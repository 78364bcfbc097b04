// Whether a ticket opens this relay for this machine.
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from "jose";
import type { MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { RelayTicketClaims, RelayTicketHeader, toRelayName } from "#schema/wire/relay";
import { createRateLimiter } from "../durable/rate-limiter.ts";
import type { Failure } from "../failure.ts";

export type TicketFailure = Failure<"relay_ticket_invalid">;

export interface TicketVerifier {
  verify(ticket: string | null, machineId: MachineId): Promise<Result<RelayTicketClaims, TicketFailure>>;
}

/** So long after it was replaced, a key may open relays that have asked for it before; the mesh itself lets it go when its last ticket has expired. */
const KEY_MAX_AGE_MS = 60_000;
/** Of one machine, for keys that are not known here: as a known one is kept for a minute, more come only with forged tickets. */
const QUESTIONS = { burst: 5, perSecond: 0.1 };

/**
 * @param relayName of this relay: its pair
 * @param readKey asks the mesh for the key with this id, or for its newest one; null when it has no such key
 */
export function createTicketVerifier(options: {
  relayName: string;
  readKey: (meshId: MeshId, keyId: string | null) => Promise<JsonWebKey | null>;
  now: () => number;
}): TicketVerifier {
  const { relayName, readKey, now } = options;
  const keys = new Map<string | null, { readonly key: CryptoKey; readonly until: number }>();
  const questions = createRateLimiter(QUESTIONS);

  async function findKey({ iss, sub }: RelayTicketClaims, keyId: string | null): Promise<CryptoKey | null> {
    for (const [id, { until }] of keys) if (until <= now()) keys.delete(id);
    const known = keys.get(keyId);
    if (known !== undefined) return known.key;
    if (!questions.take(sub, now())) return null;
    const key = await importKey(await readKey(iss, keyId));
    if (key !== null) keys.set(keyId, { key, until: now() + KEY_MAX_AGE_MS });
    return key;
  }

  async function isSigned(ticket: string, { claims, keyId }: ParsedTicket): Promise<boolean> {
    const key = await findKey(claims, keyId);
    if (key === null) return false;
    try {
      await compactVerify(ticket, key, { algorithms: ["EdDSA"] });
      return true;
    } catch {
      // The key was imported and the ticket decoded before: what is left is the signature.
      return false;
    }
  }

  return {
    async verify(ticket, machineId) {
      if (ticket === null) return refuse("there is no ticket");
      const parsed = parseTicket(ticket);
      if (parsed === null) return refuse("it is no ticket");
      const { iss, sub, peer, exp } = parsed.claims;
      if (sub !== machineId) return refuse("it is another machine's");
      if (sub === peer || toRelayName(iss, sub, peer) !== relayName) return refuse("it is for another relay");
      if (exp * 1_000 <= now()) return refuse("it has expired");
      // Last, as it may take a question to the mesh.
      return (await isSigned(ticket, parsed)) ? ok(parsed.claims) : refuse("the signature is not the mesh's");
    },
  };
}

interface ParsedTicket {
  readonly claims: RelayTicketClaims;
  readonly keyId: string | null;
}

const refuse = (detail: string): Result<never, TicketFailure> => err({ code: "relay_ticket_invalid", detail });

function parseTicket(ticket: string): ParsedTicket | null {
  try {
    const header = RelayTicketHeader.safeParse(decodeProtectedHeader(ticket));
    const claims = RelayTicketClaims.safeParse(decodeJwt(ticket));
    return header.success && claims.success ? { claims: claims.data, keyId: header.data.kid ?? null } : null;
  } catch {
    // jose throws on anything that is no JWT: for us that is one answer.
    return null;
  }
}

async function importKey(jwk: JsonWebKey | null): Promise<CryptoKey | null> {
  if (jwk === null) return null;
  const key = await importJWK({ ...jwk, kty: jwk.kty }, "EdDSA");
  if (!(key instanceof CryptoKey)) throw new Error("the mesh's ticket key did not import as a CryptoKey");
  return key;
}
