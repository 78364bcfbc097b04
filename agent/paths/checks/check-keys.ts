// The keys of checks with the peers of a mesh: derived when they are needed first, then kept.
//
// When an end has replaced its WireGuard key, the other one hears of it a moment later, or minutes. So that their path stays proved meanwhile, the
// former key is taken for a while: the end that replaced its own goes on with it until the peer has used the new one; the end that was told uses
// the new one at once.
import type { MachineId, WireGuardPublicKey } from "#schema/ids";
import { deriveCheckKey } from "../../system/check-key.ts";
import type { Clock } from "../../system/clock.ts";
import type { Files } from "../../system/files.ts";
import type { CreateKeys } from "../path-ports.ts";

interface Known {
  readonly publicKey: WireGuardPublicKey;
  /** Null: the private key is another, and nothing was derived of it yet. */
  key: Promise<Uint8Array> | null;
  former: { readonly key: Promise<Uint8Array>; readonly untilMs: number; readonly isFirst: boolean } | null;
}

/** Longer than a peer takes that is connected to the control plane; and no longer than a stolen key should be good for. */
const FORMER_KEY_MS = 60_000;

export const createCheckKeys =
  (files: Pick<Files, "read">, clock: Pick<Clock, "now">): CreateKeys =>
  (privateKeyFile, publicKeyOf) => {
    const peers = new Map<MachineId, Known>();

    function toKnown(peerId: MachineId, publicKey: WireGuardPublicKey): Known {
      const known = peers.get(peerId);
      if (known?.publicKey === publicKey) return known;
      const former = known?.key ? { key: known.key, untilMs: clock.now() + FORMER_KEY_MS, isFirst: false } : null;
      const fresh: Known = { publicKey, key: null, former };
      peers.set(peerId, fresh);
      return fresh;
    }

    function deriveOf(known: Known): Promise<Uint8Array> {
      if (known.key !== null) return known.key;
      const key = derive(files, privateKeyFile, known.publicKey);
      known.key = key;
      // Read again next time: the disk may be back by then.
      key.catch(() => {
        if (known.key === key) known.key = null;
      });
      return key;
    }

    return {
      async of(peerId) {
        const publicKey = publicKeyOf(peerId);
        if (publicKey === null) {
          peers.delete(peerId);
          return [];
        }
        const known = toKnown(peerId, publicKey);
        const { former } = known;
        if (former === null || clock.now() >= former.untilMs) {
          known.former = null;
          return [await deriveOf(known)];
        }
        const [key, formerKey] = await Promise.all([deriveOf(known), former.key]);
        return former.isFirst ? [formerKey, key] : [key, formerKey];
      },
      async noteUsed(peerId, key) {
        const known = peers.get(peerId);
        if (known?.former?.isFirst && known.key !== null && (await known.key) === key) known.former = null;
      },
      ownKeyChanged() {
        const untilMs = clock.now() + FORMER_KEY_MS;
        for (const known of peers.values()) {
          if (known.key === null) continue;
          known.former = { key: known.key, untilMs, isFirst: true };
          known.key = null;
        }
      },
    };
  };

async function derive(files: Pick<Files, "read">, privateKeyFile: string, publicKey: WireGuardPublicKey) {
  const privateKey = await files.read(privateKeyFile);
  if (privateKey === null) throw new Error(`there is no key in ${privateKeyFile}`);
  return deriveCheckKey(privateKey.trim(), publicKey);
}
