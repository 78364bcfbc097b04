import { describe, expect, it } from "vitest";
import type { WireGuardPublicKey } from "#schema/ids";
import { generateX25519KeyPair } from "../../system/x25519.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { testMachineId } from "../../testing/mesh-model.ts";
import { createCheckKeys } from "./check-keys.ts";

const PEER = testMachineId(2);

function setUp() {
  const [own, peer] = [generateX25519KeyPair(), generateX25519KeyPair()];
  const files = createMemoryFiles({ "/keys/own": `${own.privateKey}\n`, "/keys/peer": `${peer.privateKey}\n` });
  const known: { publicKey: WireGuardPublicKey | null } = { publicKey: peer.publicKey };
  const keyOf = createCheckKeys(files)("/keys/own", () => known.publicKey);
  return { files, known, own, keyOf };
}

describe("the keys of checks", () => {
  it("are the same at both ends", async () => {
    const { files, own, keyOf } = setUp();
    const theirs = createCheckKeys(files)("/keys/peer", () => own.publicKey);
    expect(await keyOf(PEER)).toEqual(await theirs(testMachineId(1)));
  });

  it("are derived once, and again when the peer has another key", async () => {
    const { files, known, keyOf } = setUp();
    const first = await keyOf(PEER);
    files.content.delete("/keys/own");
    expect(await keyOf(PEER)).toBe(first);
    files.content.set("/keys/own", `${generateX25519KeyPair().privateKey}\n`);
    known.publicKey = generateX25519KeyPair().publicKey;
    expect(await keyOf(PEER)).not.toEqual(first);
  });

  it("are none for who is no peer, and are not kept for who comes back", async () => {
    const { known, keyOf } = setUp();
    const { publicKey } = known;
    const first = await keyOf(PEER);
    known.publicKey = null;
    expect(await keyOf(PEER)).toBeNull();
    known.publicKey = publicKey;
    const again = await keyOf(PEER);
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  });

  it("are there when the disk is back", async () => {
    const { files, keyOf } = setUp();
    files.failReads = "EIO";
    await expect(keyOf(PEER)).rejects.toThrow("EIO");
    files.failReads = null;
    expect(await keyOf(PEER)).toHaveLength(32);
  });
});
