import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readSha256 } from "./own-build.ts";

it("is the hash of the whole file, whatever its length; of none there is none", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "becket-build-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const length of [0, 1, 65_536, 200_001]) {
    const text = randomBytes(length);
    const file = path.join(folder, String(length));
    writeFileSync(file, text);
    expect(readSha256(file)).toBe(createHash("sha256").update(text).digest("hex"));
  }
  expect(readSha256(path.join(folder, "none"))).toBeNull();
});
