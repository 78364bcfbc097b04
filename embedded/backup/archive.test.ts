import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { createStateFolder } from "../testing/control-plane-process.ts";
import { writeArchive } from "./archive.ts";

it("is none when what it packs is taken away meanwhile", async () => {
  const folder = createStateFolder();
  const last = path.join(folder, "data/z");
  mkdirSync(path.join(folder, "data"));
  for (const name of ["a", "b", "c"]) writeFileSync(path.join(folder, "data", name), randomBytes(4_000_000));
  writeFileSync(last, "last");
  const file = path.join(createStateFolder(), "backup");
  const manifest = { format: 1, becketVersion: "0.1.0", createdAt: new Date(0).toISOString(), migrations: [] } as const;
  const writing = expect(writeArchive(file, { folder, manifest: { ...manifest, migrations: [] } })).rejects.toThrow(
    /z/,
  );
  // Everything has its hash by then.
  while (!existsSync(path.join(folder, "manifest.json"))) await new Promise((resolve) => setImmediate(resolve));
  rmSync(last);
  await writing;
  expect(existsSync(file)).toBe(false);
});
