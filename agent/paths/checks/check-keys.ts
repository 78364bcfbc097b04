// The keys of checks with the peers of a mesh: derived when they are needed first, then kept.
import type { MachineId, WireGuardPublicKey } from "#schema/ids";
import { deriveCheckKey } from "../../system/check-key.ts";
import type { Files } from "../../system/files.ts";
import type { CreateKeys } from "../path-ports.ts";

export const createCheckKeys =
  (files: Pick<Files, "read">): CreateKeys =>
  (privateKeyFile, publicKeyOf) => {
    const keys = new Map<MachineId, { readonly publicKey: WireGuardPublicKey; readonly key: Promise<Uint8Array> }>();
    return async (peerId) => {
      const publicKey = publicKeyOf(peerId);
      if (publicKey === null) {
        keys.delete(peerId);
        return null;
      }
      const known = keys.get(peerId);
      if (known?.publicKey === publicKey) return known.key;
      const key = derive(files, privateKeyFile, publicKey);
      keys.set(peerId, { publicKey, key });
      // Read again next time: the disk may be back by then.
      key.catch(() => {
        if (keys.get(peerId)?.key === key) keys.delete(peerId);
      });
      return key;
    };
  };

async function derive(files: Pick<Files, "read">, privateKeyFile: string, publicKey: WireGuardPublicKey) {
  const privateKey = await files.read(privateKeyFile);
  if (privateKey === null) throw new Error(`there is no key in ${privateKeyFile}`);
  return deriveCheckKey(privateKey.trim(), publicKey);
}
