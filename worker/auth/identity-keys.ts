// The Ed25519 key that a machine signs with. Asked for at every machine request, so: a small cache in this isolate (at most 60 s old), then
// D1, and the Machine object only when D1 fails. A stale hit is harmless: objects refuse a removed machine on their own state.
import { importJWK } from "jose";
import type { MachineId } from "#schema/ids";
import type { Database } from "../db/database.ts";
import { findIdentity } from "../db/machines.ts";
import { type Logger, toErrorFields } from "../log.ts";
import type { Objects } from "../objects.ts";

export type Identity =
  | { readonly status: "known"; readonly key: CryptoKey }
  | { readonly status: "unknown" }
  | { readonly status: "removed" };

export interface IdentityKeys {
  read(machineId: MachineId): Promise<Identity>;
  forget(machineId: MachineId): void;
}

const MAX_AGE_MS = 60_000;
/** About 1 MB of keys; when full, the oldest entry goes. */
const MAX_ENTRIES = 4_096;

interface Dependencies {
  readonly db: Database;
  readonly objects: Objects;
  readonly now: () => number;
  readonly log: Logger;
}

export function createIdentityKeys({ db, objects, now, log }: Dependencies): IdentityKeys {
  const cache = new Map<MachineId, { identity: Identity & { status: "known" }; until: number }>();

  async function find(machineId: MachineId): ReturnType<typeof findIdentity> {
    try {
      return await findIdentity(db, machineId);
    } catch (error) {
      log.warn("identity key read from the Machine object because D1 failed", { machineId, ...toErrorFields(error) });
      const key = await objects.machine(machineId).readIdentityKey();
      return key === null ? { status: "unknown" } : { status: "known", identityKey: key };
    }
  }

  return {
    async read(machineId) {
      const cached = cache.get(machineId);
      if (cached !== undefined && cached.until > now()) return cached.identity;
      cache.delete(machineId);
      const found = await find(machineId);
      if (found.status !== "known") return found;
      const identity = { status: "known", key: await importIdentityKey(found.identityKey) } as const;
      const oldest = cache.keys().next();
      if (cache.size >= MAX_ENTRIES && oldest.done !== true) cache.delete(oldest.value);
      cache.set(machineId, { identity, until: now() + MAX_AGE_MS });
      return identity;
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
