// Curve25519 keys in the text form that `wg` reads and prints: 32 bytes in base64.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { WireGuardPublicKey } from "#schema/ids";

export interface X25519KeyPair {
  /** As `wg genkey` prints it. Goes into a 0600 file and nowhere else. */
  readonly privateKey: string;
  readonly publicKey: WireGuardPublicKey;
}

/** PKCS#8 of an X25519 private key is this prefix and the 32 bytes (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

export function generateX25519KeyPair(): X25519KeyPair {
  const { privateKey } = generateKeyPairSync("x25519");
  const bytes = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_PREFIX.length);
  const text = Buffer.from(clamp(bytes)).toString("base64");
  return { privateKey: text, publicKey: toPublicKey(text) };
}

/** The same as `wg pubkey`. Throws when the text is not a key. */
export function toPublicKey(privateKey: string): WireGuardPublicKey {
  const bytes = Buffer.from(privateKey, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== privateKey) throw new Error("not a WireGuard private key");
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return WireGuardPublicKey.parse(Buffer.from(x ?? "", "base64url").toString("base64"));
}

/** RFC 7748, section 5. The curve does it anyway; WireGuard shows keys clamped, so ours are the same text everywhere. */
function clamp(bytes: Uint8Array): Uint8Array {
  const clamped = Uint8Array.from(bytes);
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  return clamped;
}
