import { describe, expect, it } from "vitest";
import type { MachineId, WireGuardPublicKey } from "#schema/ids";
import { generateX25519KeyPair } from "../../system/x25519.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { testMachineId } from "../../testing/mesh-model.ts";
import { createCheckKeys } from "./check-keys.ts";

const PEER = testMachineId(2);

function setUp() {
  const [own, peer] = [generateX25519KeyPair(), generateX25519KeyPair()];
  const files = createMemoryFiles({ "/keys/own": `${own.privateKey}\n`, "/keys/peer": `${peer.privateKey}\n` });
  const known: { publicKey: WireGuardPublicKey | null } = { publicKey: peer.publicKey };
  const clock = createFakeClock();
  const keys = createCheckKeys(files, clock)("/keys/own", () => known.publicKey);
  const keyOf = async (peerId: MachineId) => (await keys.of(peerId))[0];
  return { files, known, own, keyOf, keys, clock };
}

describe("the keys of checks", () => {
  it("are the same at both ends", async () => {
    const { files, own, keys, clock } = setUp();
    const theirs = createCheckKeys(files, clock)("/keys/peer", () => own.publicKey);
    expect(await keys.of(PEER)).toEqual(await theirs.of(testMachineId(1)));
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
    expect(await keyOf(PEER)).toBeUndefined();
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

  it("go on being the former ones after our own key was replaced, until the peer uses the new one or a minute is over", async () => {
    const { files, keys, clock } = setUp();
    const [former] = await keys.of(PEER);
    const replace = async () => {
      files.content.set("/keys/own", `${generateX25519KeyPair().privateKey}\n`);
      keys.ownKeyChanged();
      return (await keys.of(PEER))[1] ?? new Uint8Array();
    };
    const fresh = await replace();
    expect(await keys.of(PEER)).toEqual([former, fresh]);
    await keys.noteUsed(PEER, former ?? fresh);
    expect(await keys.of(PEER)).toEqual([former, fresh]);
    await keys.noteUsed(PEER, fresh);
    expect(await keys.of(PEER)).toEqual([fresh]);

    const newest = await replace();
    await clock.advance(60_000);
    expect(await keys.of(PEER)).toEqual([newest]);
  });

  it("are the new ones at once when the peer's key was replaced, and the former ones are taken for a minute", async () => {
    const { known, keys, clock } = setUp();
    const [former] = await keys.of(PEER);
    known.publicKey = generateX25519KeyPair().publicKey;
    const [fresh, other] = await keys.of(PEER);
    expect(fresh).not.toEqual(former);
    expect(other).toEqual(former);
    await clock.advance(60_000);
    expect(await keys.of(PEER)).toEqual([fresh]);
  });
});
