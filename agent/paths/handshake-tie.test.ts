import { describe, expect, it } from "vitest";
import { createHandshakeTie, type HandshakeTie } from "./handshake-tie.ts";

const message = (type: number, length: number) =>
  Buffer.concat([Buffer.from([type, 0, 0, 0]), Buffer.alloc(length - 4)]);
const INITIATION = message(1, 148);
const RESPONSE = message(2, 92);
const COOKIE = message(3, 64);
const DATA = message(4, 96);
const NOW = 1_800_000_000_000;

function begun({ isControlling = true } = {}): HandshakeTie {
  const tie = createHandshakeTie(isControlling);
  tie.noteSent(INITIATION, NOW);
  return tie;
}

describe("two ends that begin a handshake at the same moment", () => {
  it("have one of both: the controlling side keeps the other's out, the other lets it in", () => {
    expect(begun().admit(INITIATION, NOW + 100)).toBe(false);
    expect(begun({ isControlling: false }).admit(INITIATION, NOW + 100)).toBe(true);
  });

  it("do so from when the relay has the other side in it, where packets waited for it", () => {
    const tie = begun();
    expect(tie.admit(INITIATION, NOW + 2_000)).toBe(true);
    tie.notePeerPresent(NOW + 3_000);
    expect(tie.admit(INITIATION, NOW + 3_900)).toBe(false);
    expect(tie.admit(INITIATION, NOW + 4_000)).toBe(true);
  });

  it("lose nothing but the initiation", () => {
    const tie = begun();
    for (const packet of [COOKIE, DATA, message(1, 32), Buffer.alloc(0), RESPONSE])
      expect(tie.admit(packet, NOW + 100)).toBe(true);
  });
});

describe("an initiation of the peer's gets in", () => {
  it("when our key was replaced a moment ago: ours is in vain until the peer knows the new one", () => {
    const tie = begun();
    tie.noteKeyReplaced(NOW - 1_000);
    expect(tie.admit(INITIATION, NOW + 100)).toBe(true);
    tie.noteSent(INITIATION, NOW + 59_000);
    expect(tie.admit(INITIATION, NOW + 59_100)).toBe(false);
  });

  it("when this side has begun none", () => {
    const tie = createHandshakeTie(true);
    tie.noteSent(DATA, NOW);
    tie.notePeerPresent(NOW);
    expect(tie.admit(INITIATION, NOW + 10)).toBe(true);
  });

  it("after a second: it repeats its own after five, and may never have got ours", () => {
    expect(begun().admit(INITIATION, NOW + 999)).toBe(false);
    expect(begun().admit(INITIATION, NOW + 1_000)).toBe(true);
  });

  it("once ours was answered: it may have lost the session since", () => {
    const tie = begun();
    expect(tie.admit(RESPONSE, NOW + 100)).toBe(true);
    expect(tie.admit(INITIATION, NOW + 200)).toBe(true);
    tie.notePeerPresent(NOW + 300);
    expect(tie.admit(INITIATION, NOW + 310)).toBe(true);
  });

  it("when the peer comes to the relay after WireGuard would have repeated ours", () => {
    const tie = begun();
    tie.notePeerPresent(NOW + 5_000);
    expect(tie.admit(INITIATION, NOW + 5_010)).toBe(true);
  });

  it("whatever data went out meanwhile: it makes no window", () => {
    const tie = begun();
    tie.noteSent(DATA, NOW + 900);
    tie.noteSent(RESPONSE, NOW + 900);
    expect(tie.admit(INITIATION, NOW + 1_000)).toBe(true);
  });

  it("but not while the next one of ours is on its way", () => {
    const tie = begun();
    tie.noteSent(INITIATION, NOW + 5_000);
    expect(tie.admit(INITIATION, NOW + 5_500)).toBe(false);
    expect(tie.admit(INITIATION, NOW + 6_000)).toBe(true);
  });
});
