// Tickets for relays. The Mesh object says who may open a relay; the Relay object, which knows no members, believes its signature.
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";
import type { MachineId, MeshId } from "#schema/ids";
import { RELAY_TICKET_SECONDS, type RelayTicketClaims } from "#schema/wire/relay";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";

export const RELAY_TICKETS_MIGRATION: Migration = {
  name: "create relay ticket key",
  statements: ["CREATE TABLE relay_ticket_key (one INTEGER PRIMARY KEY CHECK (one = 1), jwk TEXT NOT NULL)"],
};

/** An Ed25519 key pair (RFC 8037). */
const RelayTicketKey = z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() });
type RelayTicketKey = z.infer<typeof RelayTicketKey>;

export interface RelayTicketStorage {
  readKey(): RelayTicketKey | null;
  writeKey(key: RelayTicketKey): void;
}

export function createRelayTicketStorage(db: Database): RelayTicketStorage {
  return {
    readKey() {
      const row = db.first<{ jwk: string }>("SELECT jwk FROM relay_ticket_key");
      return row === null ? null : RelayTicketKey.parse(JSON.parse(row.jwk));
    },
    writeKey: (key) => db.run("INSERT INTO relay_ticket_key VALUES (1, ?)", JSON.stringify(key)),
  };
}

export interface RelayTickets {
  /** The key pair is made with the first ticket. */
  issue(ticket: { meshId: MeshId; machineId: MachineId; peerId: MachineId; nowMs: number }): Promise<string>;
  /** What tickets are verified with. Null while there is no key, so no ticket either: looking stores nothing. */
  readPublicJwk(): JsonWebKey | null;
}

export function createRelayTickets({ readKey, writeKey }: RelayTicketStorage): RelayTickets {
  let signingKey: CryptoKey | null = null;

  async function readSigningKey(): Promise<CryptoKey> {
    signingKey ??= await importSigningKey(readKey() ?? (await makeKey()));
    return signingKey;
  }

  async function makeKey(): Promise<RelayTicketKey> {
    const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
    const made = RelayTicketKey.parse(await exportJWK(privateKey));
    // Another message may have made one meanwhile: the one that is stored counts.
    const stored = readKey();
    if (stored === null) writeKey(made);
    return stored ?? made;
  }

  return {
    async issue({ meshId, machineId, peerId, nowMs }) {
      const iat = Math.floor(nowMs / 1_000);
      const claims: RelayTicketClaims = {
        iss: meshId,
        sub: machineId,
        peer: peerId,
        iat,
        exp: iat + RELAY_TICKET_SECONDS,
      };
      return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA" }).sign(await readSigningKey());
    },
    readPublicJwk() {
      const key = readKey();
      return key === null ? null : { kty: key.kty, crv: key.crv, x: key.x };
    },
  };
}

async function importSigningKey(jwk: RelayTicketKey): Promise<CryptoKey> {
  const key = await importJWK(jwk, "EdDSA");
  if (!(key instanceof CryptoKey)) throw new Error("an Ed25519 JWK did not import as a CryptoKey");
  return key;
}
