// The Ed25519 key that a machine signs with. Asked for at every machine request, so: a small cache in this isolate (at most 60 s old), then
// D1, and the Machine object only when D1 fails. A stale hit is harmless: objects refuse a removed machine on their own state.
import { importJWK } from "jose";
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { IDENTITY_OVERLAP_MS } from "#schema/wire/identity-key";
import type { Database } from "../db/database.ts";
import { findIdentity } from "../db/machines.ts";
import { type Logger, toErrorFields } from "../log.ts";
import type { Objects } from "../objects.ts";

export type Identity =
  | {
      readonly status: "known";
      readonly publicKey: IdentityPublicKey;
      readonly key: CryptoKey;
      /** Taken until then, milliseconds since the epoch, so that nothing fails that was under way when it was replaced. */
      readonly former: { readonly key: CryptoKey; readonly until: number } | null;
    }
  | { readonly status: "unknown" }
  | { readonly status: "removed" };

export interface IdentityKeys {
  read(machineId: MachineId): Promise<Identity>;
  /** For what the keys that `read` answered did not sign: they may have been replaced. Null: those are a moment old, and so the newest. */
  readAgain(machineId: MachineId): Promise<Identity | null>;
  forget(machineId: MachineId): void;
}

const MAX_AGE_MS = 60_000;
/** Anybody can send what no key signed, in anybody's name: it costs D1 a question a second in each isolate at most. */
const READ_AGAIN_AFTER_MS = 1_000;
/** About 1 MB of keys; when full, the oldest entry goes. */
const MAX_ENTRIES = 4_096;

interface Dependencies {
  readonly db: Database;
  readonly objects: Objects;
  readonly now: () => number;
  readonly log: Logger;
}

export function createIdentityKeys({ db, objects, now, log }: Dependencies): IdentityKeys {
  const cache = new Map<MachineId, { identity: Identity & { status: "known" }; readAt: number }>();

  async function find(machineId: MachineId): ReturnType<typeof findIdentity> {
    try {
      return await findIdentity(db, machineId);
    } catch (error) {
      log.warn("identity key read from the Machine object because D1 failed", { machineId, ...toErrorFields(error) });
      const key = await objects.machine(machineId).readIdentityKey();
      return key === null ? { status: "unknown" } : { status: "known", identityKey: key, since: null, formerKey: null };
    }
  }

  async function read(machineId: MachineId, maxAgeMs: number): Promise<Identity> {
    const cached = cache.get(machineId);
    if (cached !== undefined && now() - cached.readAt < maxAgeMs) return cached.identity;
    cache.delete(machineId);
    const readAt = now();
    const found = await find(machineId);
    if (found.status !== "known") return found;
    const { identityKey, formerKey, since } = found;
    const until = (since ?? 0) + IDENTITY_OVERLAP_MS;
    const identity = {
      status: "known",
      publicKey: identityKey,
      key: await importIdentityKey(identityKey),
      former: formerKey === null || until <= readAt ? null : { key: await importIdentityKey(formerKey), until },
    } as const;
    const oldest = cache.keys().next();
    if (cache.size >= MAX_ENTRIES && oldest.done !== true) cache.delete(oldest.value);
    cache.set(machineId, { identity, readAt });
    return identity;
  }

  return {
    read: (machineId) => read(machineId, MAX_AGE_MS),
    async readAgain(machineId) {
      const readAt = cache.get(machineId)?.readAt ?? now();
      return now() - readAt < READ_AGAIN_AFTER_MS ? null : read(machineId, 0);
    },
    forget: (machineId) => void cache.delete(machineId),
  };
}

/** @param x the public key in base64url: the `x` of its JWK (RFC 8037) */
export async function importIdentityKey(x: string): Promise<CryptoKey> {
  const key = await importJWK({ kty: "OKP", crv: "Ed25519", x }, "EdDSA");
  if (!(key instanceof CryptoKey)) throw new Error("an Ed25519 JWK did not import as a CryptoKey");
  return key;
}
