// Files in memory, with levers for a disk that is full or cannot be read.
import type { Files } from "../system/files.ts";

export interface MemoryFiles extends Files {
  readonly content: Map<string, string>;
  /** Every write there was. */
  readonly writes: string[];
  /** Fails writes with this code, such as ENOSPC. */
  failWrites: string | null;
  /** Fails writes of this file only. */
  failFile: string | null;
  /** Takes writes all the same, as a file system of its own would. */
  writableFolder: string | null;
  failReads: string | null;
}

export function createMemoryFiles(initial: Readonly<Record<string, string>> = {}): MemoryFiles {
  const content = new Map(Object.entries(initial));
  const checkWrite = (file: string) => {
    if (files.failFile !== null && file !== files.failFile) return;
    if (files.writableFolder === null || !file.startsWith(files.writableFolder)) check(files.failWrites);
  };
  const check = (code: string | null) => {
    if (code !== null) throw Object.assign(new Error(`${code}: the disk fails`), { code });
  };
  const files: MemoryFiles = {
    content,
    writes: [],
    failWrites: null,
    failFile: null,
    writableFolder: null,
    failReads: null,
    async read(file) {
      check(files.failReads);
      return content.get(file) ?? null;
    },
    readKernel(file) {
      check(files.failReads);
      return content.get(file) ?? null;
    },
    async writeAtomic(file, text) {
      checkWrite(file);
      files.writes.push(file);
      content.set(file, text);
    },
    async makeFolder(folder) {
      checkWrite(folder);
    },
    async ensureFolder(folder) {
      checkWrite(folder);
    },
    async remove(fileOrFolder) {
      for (const file of [...content.keys()]) {
        if (file === fileOrFolder || file.startsWith(`${fileOrFolder}/`)) content.delete(file);
      }
    },
    async list(folder) {
      check(files.failReads);
      const inside = [...content.keys()].filter((file) => file.startsWith(`${folder}/`));
      return [...new Set(inside.map((file) => file.slice(folder.length + 1).split("/")[0] ?? ""))].sort();
    },
  };
  return files;
}
