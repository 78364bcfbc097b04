import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "./files.ts";

describe("files", () => {
  const files = createFiles();
  let folder: string;
  const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "becket-files-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a file for its owner only, and replaces it whole", async () => {
    const file = path.join(folder, "state");

    await files.writeAtomic(file, "a long first text");
    await files.writeAtomic(file, "second");

    expect(await files.read(file)).toBe("second");
    expect(await modeOf(file)).toBe("600");
    expect(await readdir(folder)).toEqual(["state"]);
  });

  it("gives the mode that it is asked for, whatever the umask", async () => {
    const before = process.umask(0o077);
    await files.writeAtomic(path.join(folder, "shared"), "", 0o644);
    process.umask(before);

    expect(await modeOf(path.join(folder, "shared"))).toBe("644");
  });

  it("keeps the old file and leaves nothing behind when a write fails", async () => {
    await files.makeFolder(path.join(folder, "taken"));

    await expect(files.writeAtomic(path.join(folder, "taken"), "text")).rejects.toThrow();
    await expect(files.writeAtomic(path.join(folder, "none", "file"), "text")).rejects.toThrow(/ENOENT/);

    expect(await files.list(folder)).toEqual(["taken"]);
  });

  it("takes many writes of one file at once", async () => {
    const file = path.join(folder, "state");

    await Promise.all(Array.from({ length: 20 }, (_, index) => files.writeAtomic(file, `text ${index}`)));

    expect(await files.read(file)).toMatch(/^text \d+$/);
    expect(await readdir(folder)).toEqual(["state"]);
  });

  it("has null for a file and nothing for a folder that does not exist", async () => {
    expect(await files.read(path.join(folder, "none"))).toBeNull();
    expect(await files.list(path.join(folder, "none"))).toEqual([]);
    await files.remove(path.join(folder, "none"));
  });

  it("closes a folder that was open to others", async () => {
    const inner = path.join(folder, "keys");
    await files.makeFolder(inner, 0o755);
    await files.makeFolder(inner);

    expect(await modeOf(inner)).toBe("700");
  });

  it("leaves the mode of a folder alone that somebody named", async () => {
    const shared = path.join(folder, "shared");
    await files.makeFolder(shared, 0o755);
    await files.ensureFolder(shared);
    await files.ensureFolder(path.join(folder, "new"));

    expect([await modeOf(shared), await modeOf(path.join(folder, "new"))]).toEqual(["755", "700"]);
  });

  it("makes a folder with its parents, also when several ask for it at once", async () => {
    const inner = path.join(folder, "a", "b", "c");
    await Promise.all(Array.from({ length: 5 }, () => files.ensureFolder(inner)));

    expect(await Promise.all([inner, path.dirname(inner)].map(modeOf))).toEqual(["700", "700"]);
  });

  it("says why a folder can't be made, wherever it is asked for", async () => {
    await files.writeAtomic(path.join(folder, "file"), "");

    await expect(files.ensureFolder("/proc/becket/state")).rejects.toThrow(/ENOENT.*'\/proc\/becket'/);
    await expect(files.makeFolder(path.join(folder, "file"))).rejects.toThrow(/EEXIST/);
    await expect(files.makeFolder(path.join(folder, "file", "inner"))).rejects.toThrow(/ENOTDIR/);
  });
});
