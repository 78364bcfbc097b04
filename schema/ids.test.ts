import { describe, expect, it } from "vitest";
import { IdentityPublicKey, MachineId, MeshId, renderUlid, WireGuardPublicKey } from "./ids.ts";

const random = new Uint8Array(16).fill(7);

describe("identifiers", () => {
  it("sort by time of creation", () => {
    const times = [0, 1, 31, 32, 1_000_000, Date.UTC(2026, 10, 23), Date.UTC(2099, 0, 1)];
    const ids = times.map((time) => renderUlid(time, random));
    expect([...ids].sort()).toEqual(ids);
  });

  it("are refused under another kind's prefix", () => {
    const ulid = renderUlid(Date.UTC(2026, 10, 23), random);
    expect(MeshId.safeParse(`msh_${ulid}`).success).toBe(true);
    expect(MachineId.safeParse(`msh_${ulid}`).success).toBe(false);
    expect(MeshId.safeParse(`msh_${ulid}0`).success).toBe(false);
  });
});

describe("public keys", () => {
  it("are exactly 32 bytes in canonical base64", () => {
    const key = "yMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMg=";
    expect(WireGuardPublicKey.safeParse(key).success).toBe(true);
    expect(IdentityPublicKey.safeParse(key.replaceAll("+", "-").replaceAll("/", "_").replace("=", "")).success).toBe(
      true,
    );
    expect(WireGuardPublicKey.safeParse("yMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyA==").success).toBe(false);
    expect(WireGuardPublicKey.safeParse(`${"A".repeat(42)}B=`).success).toBe(false);
  });
});
