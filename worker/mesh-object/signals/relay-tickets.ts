// Tickets for relays. The Mesh object says who may open a relay; the Relay object, which knows no members, believes its signature. The key is
// replaced when somebody asks for it, and with the first ticket after it got old; what the former one signed is good until it has expired.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";
import type { MachineId, MeshId } from "#schema/ids";
import { RELAY_TICKET_SECONDS, type RelayTicketClaims } from "#schema/wire/relay";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";

export const RELAY_TICKETS_MIGRATION: Migration = {
  name: "create relay ticket key",
  statements: ["CREATE TABLE relay_ticket_key (one INTEGER PRIMARY KEY CHECK (one = 1), jwk TEXT NOT NULL)"],
};
export const RELAY_TICKET_AGES_MIGRATION: Migration = {
  name: "add ages of relay ticket keys",
  statements: [
    "ALTER TABLE relay_ticket_key ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0",
    // the public half of the one before it; null: there was none
    "ALTER TABLE relay_ticket_key ADD COLUMN former_x TEXT",
    // not at once, but when it has become old by this count
    "UPDATE relay_ticket_key SET made_at = unixepoch() * 1000",
  ],
};

/** An Ed25519 key pair (RFC 8037). */
const RelayTicketKey = z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() });
type RelayTicketKey = z.infer<typeof RelayTicketKey>;

export interface StoredKey {
  readonly jwk: RelayTicketKey;
  /** Milliseconds since the epoch. */
  readonly madeAtMs: number;
  readonly formerX: string | null;
}

export interface RelayTicketStorage {
  readKey(): StoredKey | null;
  writeKey(key: StoredKey): void;
}

export function createRelayTicketStorage(db: Database): RelayTicketStorage {
  return {
    readKey() {
      const row = db.first<{ jwk: string; made_at: number; former_x: string | null }>("SELECT * FROM relay_ticket_key");
      if (row === null) return null;
      return { jwk: RelayTicketKey.parse(JSON.parse(row.jwk)), madeAtMs: row.made_at, formerX: row.former_x };
    },
    writeKey: ({ jwk, madeAtMs, formerX }) =>
      db.run("INSERT OR REPLACE INTO relay_ticket_key VALUES (1, ?, ?, ?)", JSON.stringify(jwk), madeAtMs, formerX),
  };
}

/** A key pair that nothing is signed with yet. */
export type NewKey = RelayTicketKey;

export interface RelayTickets {
  /** The key pair is made with the first ticket, and anew with the first after it got old. */
  issue(ticket: { meshId: MeshId; machineId: MachineId; peerId: MachineId; nowMs: number }): Promise<string>;
  /**
   * What tickets with this key id are verified with; those of older code have none, and are of the newest key. Null: the key is not, or no
   * longer, one of the mesh's; or there is none, and so no ticket either. Looking stores nothing.
   */
  readPublicJwk(keyId: string | null, nowMs: number): Promise<JsonWebKey | null>;
  /** Null while there is none. */
  readMadeAtMs(): number | null;
  /** For `replaceKey`, which has to do it within a transaction. */
  makeKey(): Promise<NewKey>;
  /** False, and nothing is written, when there is none, or it was made within a ticket's life: so no more than one former one is good. */
  replaceKey(made: NewKey, nowMs: number): boolean;
}

export const RELAY_KEY_MAX_AGE_MS = 30 * 86_400_000;

export function createRelayTickets({ readKey, writeKey }: RelayTicketStorage): RelayTickets {
  let signing: { readonly x: string; readonly kid: string; readonly key: CryptoKey } | null = null;

  async function readSigningKey(nowMs: number): Promise<NonNullable<typeof signing>> {
    const stored = readKey();
    const isGood = stored !== null && nowMs - stored.madeAtMs < RELAY_KEY_MAX_AGE_MS;
    const { jwk } = isGood ? stored : keep(await makeKey(), nowMs);
    if (signing?.x === jwk.x) return signing;
    const fresh = { x: jwk.x, kid: await calculateJwkThumbprint(jwk), key: await importSigningKey(jwk) };
    signing = fresh;
    return fresh;
  }

  /** Another message may have made one meanwhile: the one that is stored counts. */
  function keep(made: NewKey, nowMs: number): StoredKey {
    const stored = readKey();
    if (stored !== null && isYoung(stored, nowMs)) return stored;
    const next = { jwk: made, madeAtMs: nowMs, formerX: stored?.jwk.x ?? null };
    writeKey(next);
    return next;
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
      const { kid, key } = await readSigningKey(nowMs);
      return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid }).sign(key);
    },
    async readPublicJwk(keyId, nowMs) {
      const stored = readKey();
      if (stored === null) return null;
      const current = toPublicJwk(stored.jwk.x);
      if (keyId === null || keyId === (await calculateJwkThumbprint(current))) return current;
      if (stored.formerX === null || !isYoung(stored, nowMs)) return null;
      const former = toPublicJwk(stored.formerX);
      return keyId === (await calculateJwkThumbprint(former)) ? former : null;
    },
    readMadeAtMs: () => readKey()?.madeAtMs ?? null,
    makeKey,
    replaceKey: (made, nowMs) => readKey() !== null && keep(made, nowMs).jwk === made,
  };
}

/** What the one before it signed last may still be good. */
const isYoung = ({ madeAtMs }: StoredKey, nowMs: number): boolean => nowMs - madeAtMs < RELAY_TICKET_SECONDS * 1_000;

const toPublicJwk = (x: string) => ({ kty: "OKP", crv: "Ed25519", x });

async function makeKey(): Promise<NewKey> {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  return RelayTicketKey.parse(await exportJWK(privateKey));
}

async function importSigningKey(jwk: RelayTicketKey): Promise<CryptoKey> {
  const key = await importJWK(jwk, "EdDSA");
  if (!(key instanceof CryptoKey)) throw new Error("an Ed25519 JWK did not import as a CryptoKey");
  return key;
}
