import { describe, expect, it } from "vitest";
import { createExec } from "../system/exec.ts";
import { generateX25519KeyPair, toPublicKey } from "../system/x25519.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { whyNoNamespaces } from "../testing/namespace.ts";
import { ensurePrivateKey, readPublicKey } from "./private-key.ts";

describe("ensurePrivateKey", () => {
  it("makes a key once and then keeps it", async () => {
    const files = createMemoryFiles();

    const first = await ensurePrivateKey(files, "/keys/a");
    const second = await ensurePrivateKey(files, "/keys/a");

    expect(second).toBe(first);
    expect(await readPublicKey(files, "/keys/a")).toBe(first);
    expect(files.writes).toHaveLength(1);
  });

  it("replaces a file that holds no key", async () => {
    const files = createMemoryFiles({ "/keys/a": "half a k" });

    const publicKey = await ensurePrivateKey(files, "/keys/a");

    expect(await readPublicKey(files, "/keys/a")).toBe(publicKey);
  });
});

describe("X25519 keys", () => {
  it("derives the public key of the key in wg's manual page", () => {
    const privateKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

    expect(toPublicKey(privateKey)).toBe("HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=");
  });

  it.each(["", "abc", `${"A".repeat(43)}`, `${"A".repeat(44)}`, `${"A".repeat(42)}B=`])(
    "refuses %j as a private key",
    (text) => {
      expect(() => toPublicKey(text)).toThrow("not a WireGuard private key");
    },
  );

  it.skipIf(whyNoNamespaces() !== null)("agrees with wg pubkey", async () => {
    const exec = createExec(process.env);
    for (let round = 0; round < 10; round++) {
      const { privateKey, publicKey } = generateX25519KeyPair();
      expect((await exec.run(["wg", "pubkey"], { stdin: `${privateKey}\n` })).stdout.trim()).toBe(publicKey);
    }
  });
});
