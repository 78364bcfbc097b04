// The private key of a device: made on this machine, kept in one 0600 file, read by `wg` from there. It goes nowhere else.
import type { WireGuardPublicKey } from "#schema/ids";
import type { Files } from "../system/files.ts";
import { generateX25519KeyPair, toPublicKey } from "../system/x25519.ts";

/** Keeps the key in the file, or writes a new one where there is none. Answers its public half. The folder must exist. */
export async function ensurePrivateKey(files: Files, file: string): Promise<WireGuardPublicKey> {
  const existing = await readPublicKey(files, file);
  if (existing !== null) return existing;
  return replacePrivateKey(files, file);
}

/** Puts a new key in the place of the one in the file. Answers its public half. */
export async function replacePrivateKey(files: Files, file: string): Promise<WireGuardPublicKey> {
  const { privateKey, publicKey } = generateX25519KeyPair();
  await files.writeAtomic(file, `${privateKey}\n`);
  return publicKey;
}

/** The public half of the key in the file; null when there is no file or no key in it. */
export async function readPublicKey(files: Files, file: string): Promise<WireGuardPublicKey | null> {
  const text = await files.read(file);
  if (text === null) return null;
  try {
    return toPublicKey(text.trim());
  } catch {
    // Not a key: what became of it is the caller's to decide, and its text is not for a log.
    return null;
  }
}
