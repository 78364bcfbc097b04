// Ed25519 keys of the machine's identity, and randomness for what is signed with them.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { IdentityPublicKey } from "#schema/ids";

export interface Ed25519Key {
  readonly publicKey: IdentityPublicKey;
  /** The signature over the text's bytes, base64url. */
  sign(text: string): string;
}

/** A new key, PKCS #8 in PEM. */
export function generateEd25519Pem(): string {
  return String(generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }));
}

/** Throws when the text is not such a key. */
export function parseEd25519Pem(pem: string): Ed25519Key {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error(`is a key of type ${privateKey.asymmetricKeyType}`);
  const publicKey = IdentityPublicKey.parse(createPublicKey(privateKey).export({ format: "jwk" }).x);
  return { publicKey, sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url") };
}

/** 128 random bits as text, for token ids. */
export const createRandomId = (): string => randomBytes(16).toString("base64url");

export const toBase64Url = (text: string): string => Buffer.from(text).toString("base64url");
