// Backups of a state at rest, and what is refused.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { create, extract, list } from "tar";
import { describe, expect, it } from "vitest";
import { renderGeneration } from "#schema/generation";
import type { RestoredNote } from "#schema/local/backup";
import { giveToOwnerOf } from "../give-to-owner.ts";
import { openStateFolder, toStatePaths } from "../state-folder.ts";
import { asUser, NOBODY } from "../testing/as-user.ts";
import { createStateFolder } from "../testing/control-plane-process.ts";
import { FAKE_DATABASE, FAKE_OWNER_TOKEN, fillState, readFakeValues } from "../testing/fake-state.ts";
import { copyState } from "./copy-state.ts";
import { type BackupOptions, createBackup } from "./create-backup.ts";
import { type RestoreOptions, restoreBackup } from "./restore-backup.ts";
import { writeRestoredNote } from "./restored-note.ts";

const NOTE: RestoredNote = {
  version: 1,
  generation: renderGeneration(0, new Uint8Array(16)),
  backupCreatedAt: "2026-11-25T10:00:00.000Z",
  restoredAt: "2026-11-26T10:00:00.000Z",
  isSettled: false,
};

const isRoot = process.getuid?.() === 0;
const backUp = (stateDir: string, to: string, more: Partial<BackupOptions> = {}) =>
  createBackup({ stateDir, to, withOwnerToken: false, force: false, say: () => undefined, ...more });
const restore = (file: string, stateDir: string, more: Partial<RestoreOptions> = {}) =>
  restoreBackup({ file, stateDir, force: false, say: () => undefined, ...more });

function createState(value = "kept"): string {
  const state = createStateFolder();
  fillState(state, { value });
  return state;
}

function giveAllTo(folder: string, id: number): void {
  for (const entry of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    chownSync(path.join(folder, entry), id, id);
  }
}

async function listArchive(file: string): Promise<string[]> {
  const names: string[] = [];
  await list({ file, onReadEntry: (entry) => void names.push(entry.path) });
  return names;
}

describe("a backup", () => {
  it("is one file, the owner's alone, with what the write-ahead logs held", async () => {
    const state = createState();
    const folder = createStateFolder();
    const { file, frozenMs, databases } = await backUp(state, folder);
    expect(path.basename(file)).toMatch(/^becket-\d{8}T\d{6}Z\.tar\.gz$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect({ frozenMs, databases }).toEqual({ frozenMs: null, databases: 2 });
    expect((await listArchive(file))[0]).toBe("manifest.json");
    expect(await listArchive(file)).not.toContain("owner-token");
    // Nothing of the work is left.
    expect(readdirSync(folder)).toEqual([path.basename(file)]);
    expect(readdirSync(path.join(state, "tmp"))).toEqual([]);

    const target = path.join(createStateFolder(), "a/b");
    expect(await restore(file, target)).toMatchObject({ databases: 2, previousData: null, ownerToken: "none" });
    expect(readFakeValues(target)).toEqual(["kept"]);
    expect(readdirSync(target).sort()).toEqual(["data", "lock.db"]);
  });

  it("has the owner's token only when that is asked for", async () => {
    const file = path.join(createStateFolder(), "full.tar.gz");
    await backUp(createState(), file, { withOwnerToken: true });
    const target = createStateFolder();
    expect(await restore(file, target)).toMatchObject({ ownerToken: "restored" });
    const token = path.join(target, "owner-token");
    expect(readFileSync(token, "utf8").trim()).toBe(FAKE_OWNER_TOKEN);
    expect(statSync(token).mode & 0o777).toBe(0o600);
  });

  it("does not take the place of a file, unless it is forced to", async () => {
    const state = createState();
    const file = path.join(createStateFolder(), "file");
    writeFileSync(file, "mine");
    await expect(backUp(state, file)).rejects.toThrow(/is there already/);
    const missing = path.join(path.dirname(file), "backups");
    await expect(backUp(state, missing)).rejects.toThrow(/no folder .*backups: make it, or name a file/);
    expect(readFileSync(file, "utf8")).toBe("mine");
    await backUp(state, file, { force: true });
    expect(await listArchive(file)).toContain(FAKE_DATABASE);
  });

  it("of a damaged state is none", async () => {
    const state = createState();
    const folder = createStateFolder();
    writeFileSync(
      path.join(state, FAKE_DATABASE),
      "SQLite format 3\0, and then nothing of the kind".padEnd(4_096, "x"),
    );
    rmSync(path.join(state, `${FAKE_DATABASE}-wal`));
    await expect(backUp(state, folder)).rejects.toThrow(`${FAKE_DATABASE} is damaged`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(isRoot)("by root that is killed leaves nothing that keeps the control plane's user from starting", () => {
    const state = createState();
    giveAllTo(state, NOBODY);
    const { temporaryFolder, dataFolder } = toStatePaths(state);
    mkdirSync(temporaryFolder, { mode: 0o700 });
    giveToOwnerOf(state, temporaryFolder);
    const { folder } = copyState({ dataFolder, temporaryFolder });
    writeFileSync(path.join(folder, "manifest.json"), "");
    expect(existsSync(path.join(folder, FAKE_DATABASE))).toBe(true);
    asUser(NOBODY, () => openStateFolder(state)).release();
    expect(readdirSync(temporaryFolder)).toEqual([]);
  });

  it("needs a state and a place", async () => {
    const state = createState();
    await expect(backUp(createStateFolder(), "a")).rejects.toThrow(/no control plane's state/);
    await expect(backUp(state, path.join(state, "no/file"))).rejects.toThrow(/there is no folder/);
    rmSync(path.join(state, "owner-token"));
    await expect(backUp(state, "a", { withOwnerToken: true })).rejects.toThrow(/no owner token/);
  });
});

describe("a restore", () => {
  it("replaces another state only by force, keeps that aside, and the folder's own owner token", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    await backUp(createState("backed up"), file, { withOwnerToken: true });
    const target = createState("newer");
    writeFileSync(path.join(target, "owner-token"), "another token of its own");
    await expect(restore(file, target)).rejects.toThrow(/holds the state of a control plane already/);
    expect(readFakeValues(target)).toEqual(["newer"]);
    const { previousData, ownerToken } = await restore(file, target, { force: true });
    expect(readFakeValues(target)).toEqual(["backed up"]);
    expect(existsSync(path.join(previousData ?? "", path.relative("data", FAKE_DATABASE)))).toBe(true);
    expect(ownerToken).toBe("kept");
    expect(readFileSync(path.join(target, "owner-token"), "utf8")).toBe("another token of its own");
  });

  it.runIf(isRoot)("by root, into the folder of the control plane's user, is that user's to start", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    await backUp(createState(), file, { withOwnerToken: true });
    const target = createStateFolder();
    giveAllTo(target, NOBODY);
    await restore(file, target);
    asUser(NOBODY, () => {
      openStateFolder(target).release();
      expect(readFakeValues(target)).toEqual(["kept"]);
      expect(readFileSync(path.join(target, "owner-token"), "utf8").trim()).toBe(FAKE_OWNER_TOKEN);
    });
  });

  it("is refused where a control plane runs", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    const state = createState();
    await backUp(state, file);
    const running = openStateFolder(state);
    await expect(restore(file, state, { force: true })).rejects.toThrow(/is used by process \d+; stop it first/);
    running.release();
  });

  it("that was cut off is not taken for a new control plane, and can be run again", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    await backUp(createState(), file);
    const target = createStateFolder();
    mkdirSync(path.join(target, "incoming/data"), { recursive: true });
    expect(() => openStateFolder(target)).toThrow(/a restore into .* did not end; run it again/);
    expect(existsSync(path.join(target, "data"))).toBe(false);
    await restore(file, target);
    openStateFolder(target).release();
    expect(readFakeValues(target)).toEqual(["kept"]);
  });

  it("that was cut off says how to have the former state back, whose name it knows, and starts none in its place", () => {
    const target = createState("former");
    const [data, incoming] = ["data", "incoming"].map((name) => path.join(target, name)) as [string, string];
    const aside = `${data}.before-20261126T100000Z`;
    const expectAdvice = (advice: string) =>
      expect(() => openStateFolder(target)).toThrow(`a restore into ${target} did not end; ${advice}`);
    // Of earlier ones.
    for (const time of ["20250101T000000Z", "20270101T000000Z"]) mkdirSync(`${data}.before-${time}`);
    mkdirSync(path.join(incoming, "data"), { recursive: true });
    writeRestoredNote(path.join(incoming, "data"), NOTE);
    expectAdvice(`run it again, or, for the state before it, remove ${incoming}`);
    renameSync(data, aside);
    expectAdvice(`run it again, or, for the state before it, rename ${aside} to ${data} and remove ${incoming}`);
    expect(existsSync(data)).toBe(false);
    renameSync(path.join(incoming, "data"), data);
    const arrived = `what was backed up is in its place: remove ${incoming}`;
    expectAdvice(`${arrived}; or, for the state before it, remove ${data} as well and rename ${aside} to that`);
    rmSync(aside, { recursive: true });
    expect(() => openStateFolder(target)).toThrow(new RegExp(`${arrived}$`));
  });

  it("that was cut off, run again and cut off or failed again, still says how to have the former state back", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    writeFileSync(file, "damaged");
    const target = createState("former");
    const [data, incoming] = ["data", "incoming"].map((name) => path.join(target, name)) as [string, string];
    const aside = `${data}.before-20261126T100000Z`;
    const expectAdvice = () =>
      expect(() => openStateFolder(target)).toThrow(
        `run it again, or, for the state before it, rename ${aside} to ${data} and remove ${incoming}`,
      );
    mkdirSync(`${data}.before-20250101T000000Z`);
    renameSync(data, aside);
    mkdirSync(path.join(incoming, "data"), { recursive: true });
    // While it unpacked; then before its renames.
    expectAdvice();
    writeRestoredNote(path.join(incoming, "data"), { ...NOTE, restoredAt: "2026-11-26T11:00:00.000Z" });
    expectAdvice();
    await expect(restore(file, target)).rejects.toThrow(/no backup|can't be read/);
    expectAdvice();
    expect(readdirSync(incoming)).toEqual([]);
    renameSync(aside, data);
    rmSync(incoming, { recursive: true });
    openStateFolder(target).release();
    expect(readFakeValues(target)).toEqual(["former"]);
  });

  it("takes no file that is no backup, is cut, was changed, or is of a newer version", async () => {
    const folder = createStateFolder();
    const { file } = await backUp(createState(), folder);
    const target = path.join(folder, "target");
    const refusal = (name: string) => restore(path.join(folder, name), target).then(() => "none", String);
    const repack = async (name: string, change: (unpacked: string) => void) => {
      const unpacked = path.join(folder, `unpacked-${name}`);
      mkdirSync(unpacked);
      await extract({ file, cwd: unpacked });
      change(unpacked);
      await create({ file: path.join(folder, name), gzip: true, cwd: unpacked }, readdirSync(unpacked));
    };
    const changeManifest = (change: Record<string, unknown>) => (unpacked: string) => {
      const manifest = path.join(unpacked, "manifest.json");
      writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), ...change }));
    };
    writeFileSync(path.join(folder, "noise"), randomBytes(4_096));
    const bytes = readFileSync(file);
    writeFileSync(path.join(folder, "cut"), bytes.subarray(0, bytes.length / 2));
    await repack("flipped", (unpacked) => writeFileSync(path.join(unpacked, FAKE_DATABASE), "x", { flag: "a" }));
    await repack("less", (unpacked) => rmSync(path.join(unpacked, FAKE_DATABASE)));
    await repack("more", (unpacked) => writeFileSync(path.join(unpacked, "data/more"), ""));
    await repack("foreign", (unpacked) => writeFileSync(path.join(unpacked, "foreign"), ""));
    await repack("link", (unpacked) => symlinkSync("/etc/passwd", path.join(unpacked, "data/link")));
    await repack("bare", (unpacked) => rmSync(path.join(unpacked, "manifest.json")));
    await repack("newer", changeManifest({ migrations: ["0999_later.sql"], becketVersion: "9.0.0" }));
    await repack("format", changeManifest({ format: 2 }));
    expect(await refusal("none")).toMatch(/there is no file/);
    expect(await refusal("noise")).toMatch(/no backup|can't be read/);
    expect(await refusal("cut")).toMatch(/can't be read as a backup/);
    expect(await refusal("flipped")).toMatch(/is damaged: data\/d1/);
    expect(await refusal("less")).toMatch(/is not whole/);
    expect(await refusal("more")).toMatch(/was not backed up/);
    expect(await refusal("foreign")).toMatch(/is no backup: it holds foreign/);
    expect(await refusal("link")).toMatch(/is no backup: it holds data\/link/);
    expect(await refusal("bare")).toMatch(/has no manifest/);
    expect(await refusal("newer")).toMatch(/newer Becket \(9\.0\.0, which has 0999_later\.sql\)/);
    expect(await refusal("format")).toMatch(/of another version/);
    expect(existsSync(target)).toBe(false);
  });
});

describe("the commands", () => {
  const run = (program: string, ...argv: string[]) =>
    promisify(execFile)(process.execPath, [path.resolve(import.meta.dirname, `../${program}.ts`), ...argv]);

  it("print what programs read, and refuse in one line", async () => {
    const file = path.join(createStateFolder(), "backup.tar.gz");
    const { stdout } = await run("backup", "--state", createState(), "--to", file, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ file, hasOwnerToken: false });
    const refused = await run("restore", file, "--state", createState()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: /^becket: .*--force to move that aside\n$/ });
  });
});
