// Whether a ticket opens this relay for this machine.
import { compactVerify, decodeJwt, importJWK } from "jose";
import type { MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { RelayTicketClaims, toRelayName } from "#schema/wire/relay";
import type { Failure } from "../failure.ts";

export type TicketFailure = Failure<"relay_ticket_invalid">;

export interface TicketVerifier {
  verify(ticket: string | null, machineId: MachineId): Promise<Result<RelayTicketClaims, TicketFailure>>;
}

/**
 * @param relayName of this relay: its pair
 * @param readKey asks the mesh for the key of its tickets; null when it has none. A key never changes, so it is asked for once.
 */
export function createTicketVerifier(options: {
  relayName: string;
  readKey: (meshId: MeshId) => Promise<JsonWebKey | null>;
  now: () => number;
}): TicketVerifier {
  const { relayName, readKey, now } = options;
  let key: CryptoKey | null = null;

  async function isSigned(ticket: string, meshId: MeshId): Promise<boolean> {
    key ??= await importKey(await readKey(meshId));
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
      const claims = parseClaims(ticket);
      if (claims === null) return refuse("it is no ticket");
      const { iss, sub, peer } = claims;
      if (sub !== machineId) return refuse("it is another machine's");
      if (sub === peer || toRelayName(iss, sub, peer) !== relayName) return refuse("it is for another relay");
      if (!(await isSigned(ticket, iss))) return refuse("the signature is not the mesh's");
      return claims.exp * 1_000 > now() ? ok(claims) : refuse("it has expired");
    },
  };
}

const refuse = (detail: string): Result<never, TicketFailure> => err({ code: "relay_ticket_invalid", detail });

function parseClaims(ticket: string): RelayTicketClaims | null {
  try {
    return RelayTicketClaims.safeParse(decodeJwt(ticket)).data ?? null;
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
