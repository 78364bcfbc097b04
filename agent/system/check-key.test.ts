import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { WireGuardPublicKey } from "#schema/ids";
import { deriveCheckKey } from "./check-key.ts";
import { generateX25519KeyPair } from "./x25519.ts";

describe("the key of checks", () => {
  it("is the same at both ends, and another one for every pair", () => {
    const [a, b, c] = [generateX25519KeyPair(), generateX25519KeyPair(), generateX25519KeyPair()];

    const key = deriveCheckKey(a.privateKey, b.publicKey);

    expect(key).toHaveLength(32);
    expect(deriveCheckKey(b.privateKey, a.publicKey)).toEqual(key);
    expect(deriveCheckKey(a.privateKey, c.publicKey)).not.toEqual(key);
    expect(deriveCheckKey(c.privateKey, b.publicKey)).not.toEqual(key);
  });

  it("is HKDF-SHA256 of the shared secret that RFC 7748, section 6.1, prints", () => {
    const alice = toBase64("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const bob = WireGuardPublicKey.parse(toBase64("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    const secret = Buffer.from("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", "hex");

    // RFC 5869: extract with a salt of zeros, expand to one block.
    const extracted = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
    const expanded = createHmac("sha256", extracted).update("becket check v1\x01").digest();

    expect(deriveCheckKey(alice, bob)).toEqual(expanded);
  });

  it("is one that nobody knows for a public key of low order", () => {
    const { privateKey } = generateX25519KeyPair();
    const zero = WireGuardPublicKey.parse(Buffer.alloc(32).toString("base64"));

    expect(deriveCheckKey(privateKey, zero)).not.toEqual(deriveCheckKey(privateKey, zero));
  });

  it("can't be made of what is no private key", () => {
    const { publicKey } = generateX25519KeyPair();

    expect(() => deriveCheckKey("c2hvcnQ=", publicKey)).toThrow(/not a WireGuard key/);
  });
});

function toBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
