import { describe, expect, it } from "vitest";
import type { WireGuardPublicKey } from "#schema/ids";
import { generateX25519KeyPair } from "../../system/x25519.ts";
import { type KeyFacts, toDueKey } from "./due-key.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const publicKey = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=" as WireGuardPublicKey;
const facts = (changes: Partial<KeyFacts> = {}): KeyFacts => ({
  publicKey,
  self: { publicKey, keySinceMs: NOW },
  order: null,
  rotationDays: null,
  ...changes,
});
const made = (ms: number, force = false) => ({ keysMadeBefore: new Date(ms).toISOString(), force });

describe("a key", () => {
  it("stays when nobody asked and the mesh lets keys grow old", () => {
    expect(toDueKey(facts())).toBeNull();
  });

  it("is replaced when it was made before the moment that was asked for, and not when it was made then or later", () => {
    expect(toDueKey(facts({ order: made(NOW + 1) }))).toEqual({
      ...{ atMs: NOW, isForced: false, waitsUntilMs: null, why: "asked" },
    });
    expect(toDueKey(facts({ order: made(NOW + 1, true) }))).toMatchObject({ isForced: true, waitsUntilMs: NOW });
    expect(toDueKey(facts({ order: made(NOW) }))).toBeNull();
  });

  it("waits for others until it is a week beyond its age, also when somebody asked meanwhile", () => {
    const aged = toDueKey(facts({ rotationDays: 1 }));
    expect(aged).toMatchObject({ why: "age", waitsUntilMs: (aged?.atMs ?? 0) + 7 * DAY_MS });
    const asked = toDueKey(facts({ rotationDays: 1, order: made(NOW + 1) }));
    expect(asked).toMatchObject({ why: "asked", atMs: NOW, waitsUntilMs: aged?.waitsUntilMs });
  });

  it("that the mesh does not know yet, or whose age it does not tell, is left alone", () => {
    const order = made(NOW + 1);
    const { publicKey: other } = generateX25519KeyPair();
    expect(toDueKey(facts({ order, self: null }))).toBeNull();
    expect(toDueKey(facts({ order, self: { publicKey: other, keySinceMs: NOW } }))).toBeNull();
    expect(toDueKey(facts({ order, self: { publicKey } }))).toBeNull();
  });

  it("gets as old as the mesh says, or up to a tenth less: always the same for a key, another time for each", () => {
    const times = Array.from({ length: 20 }, () => {
      const key = generateX25519KeyPair().publicKey;
      const own = facts({ publicKey: key, self: { publicKey: key, keySinceMs: NOW }, rotationDays: 10 });
      expect(toDueKey(own)).toEqual(toDueKey(own));
      return ((toDueKey(own)?.atMs ?? 0) - NOW) / DAY_MS;
    });
    for (const days of times) {
      expect(days).toBeGreaterThan(9);
      expect(days).toBeLessThanOrEqual(10);
    }
    expect(new Set(times).size).toBe(20);
  });
});
