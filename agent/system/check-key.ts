// The key that authenticates checks between two members. Only these two can make it: X25519 of the one's WireGuard private key and the
// other's public key, through HKDF. So there is nothing to hand out, and the control plane doesn't know it.
import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, randomBytes } from "node:crypto";
import type { WireGuardPublicKey } from "#schema/ids";

/** Keeps it apart from every other key that is made of the same secret; WireGuard's own derivation has labels of its own. */
const INFO = "becket check v1";
const KEY_BYTES = 32;
/** Before the 32 bytes of a key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/**
 * The same at both ends.
 *
 * A public key of low order shares no secret with anybody (RFC 7748, section 6.1); WireGuard makes no session with it. Such a peer gets
 * a key that nobody knows, so that its checks fail as its handshakes do.
 * @param privateKey as `wg genkey` prints it; throws when it is none
 */
export function deriveCheckKey(privateKey: string, peerPublicKey: WireGuardPublicKey): Buffer {
  const own = createPrivateKey({ key: toDer(PKCS8_PREFIX, privateKey), format: "der", type: "pkcs8" });
  const peer = createPublicKey({ key: toDer(SPKI_PREFIX, peerPublicKey), format: "der", type: "spki" });
  const secret = toSharedSecret(() => diffieHellman({ privateKey: own, publicKey: peer }));
  return Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), INFO, KEY_BYTES));
}

function toDer(prefix: Buffer, base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== KEY_BYTES) throw new Error("not a WireGuard key");
  return Buffer.concat([prefix, bytes]);
}

/** OpenSSL refuses to derive an all-zero secret. */
function toSharedSecret(derive: () => Buffer): Buffer {
  try {
    return derive();
  } catch {
    return randomBytes(KEY_BYTES);
  }
}
