// What the agent needs to start without the control plane: who it is in identity.json, the machine's meshes in state.json, each mesh in a
// file of its own.
//
// Writes happen behind the caller's back, one at a time; the newest value wins, and a value that the file already holds is not written. What
// comes within a moment is written once: a change in a large mesh costs no text of all of it and no wait for the disk. A crash in that moment
// loses nothing: the agent resumes from the older position that the file holds, and is told what changed since. A disk that fails costs
// nothing but the cache: the failure is kept (`failures`), told, and the write tried again.
import type { z } from "zod";
import type { MeshId } from "#schema/ids";
import { type EnrolmentFile, MachineFile, MeshFile } from "#schema/local/agent-files";
import type { StepFailure } from "#schema/machine";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import { parseJson } from "./api-failure.ts";
import { toEnrolmentFile } from "./identity.ts";

export interface DiskCache {
  /** What there is. A file that can't be read or makes no sense counts as missing, and as a failure until it is written anew. */
  load(): Promise<{ readonly machine: MachineFile | null; readonly meshes: readonly MeshFile[] }>;
  /** Written without delay: without it a restart needs a join token. Read by the identity store. */
  saveEnrolment(enrolment: Omit<EnrolmentFile, "version">): void;
  saveMachine(machine: Omit<MachineFile, "version">): void;
  saveMesh(mesh: Omit<MeshFile, "version">): void;
  removeMesh(meshId: MeshId): void;
  /** Removes everything, after what is being written. */
  clear(): Promise<void>;
  failures(): readonly StepFailure[];
  /** Writes at once what waits. Resolves when nothing does, or what waits has failed. */
  flush(): Promise<void>;
}

export interface DiskCacheOptions {
  readonly files: Files;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is saved within this time is written together. */
  readonly delayMs: number;
  readonly retryMs: number;
  /** Called when `failures` changed. */
  readonly onFailuresChanged: () => void;
}

/** What a file should hold; null: it should not be there. */
type Content = object | null;

export function createDiskCache(options: DiskCacheOptions): DiskCache {
  const { files, stateDir, clock, log, delayMs, retryMs } = options;
  const machineFile = `${stateDir}/state.json`;
  const meshFolder = `${stateDir}/meshes`;
  const toMeshFile = (meshId: MeshId) => `${meshFolder}/${meshId}.json`;
  const failures = new Map<string, StepFailure>();
  const wanted = new Map<string, Content>();
  /** The text that each file holds; null: it is not there. */
  const written = new Map<string, string | null>();
  /** What a failing disk did not take, whatever else it took since. */
  const failed = new Map<string, Content>();
  let work: Promise<void> | null = null;
  let cancelDelay: (() => void) | null = null;
  let hasFolders = false;
  let cancelRetry: (() => void) | null = null;

  function fail(file: string, step: string, error: unknown): void {
    const code = error instanceof Error && "code" in error ? String(error.code) : "corrupt";
    const message = `${file}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1_000);
    const known = failures.get(file);
    if (known?.step === step && known.code === code) return;
    const since = new Date(clock.wall()).toISOString();
    failures.set(file, { step, code, message, since });
    log.error("the disk cache failed; the agent goes on without it", { step, code, reason: message });
    options.onFailuresChanged();
  }

  async function read<T extends z.ZodType>(file: string, schema: T): Promise<z.infer<T> | null> {
    try {
      const text = await files.read(file);
      if (text === null) return null;
      const parsed = schema.safeParse(parseJson(text));
      if (parsed.success) {
        written.set(file, text);
        return parsed.data;
      }
      fail(file, "cache.read", new Error("the file is damaged; the control plane will tell its content again"));
    } catch (error) {
      fail(file, "cache.read", error);
    }
    return null;
  }

  function want(file: string, content: Content): void {
    // Newer than what failed: it takes its place.
    failed.delete(file);
    wanted.set(file, content);
    if (work === null) cancelDelay ??= clock.setTimer(delayMs, writeSoon);
  }

  function writeSoon(): void {
    cancelDelay?.();
    cancelDelay = null;
    work ??= writeAll().finally(() => {
      work = null;
      // Saved while the last file was written.
      if (wanted.size > 0) cancelDelay ??= clock.setTimer(delayMs, writeSoon);
    });
  }

  async function writeAll(): Promise<void> {
    // Not more than waits now: what is saved meanwhile is to be joined as well.
    for (const file of [...wanted.keys()]) {
      const content = wanted.get(file);
      if (content === undefined) continue;
      wanted.delete(file);
      if ((await write(file, content)) || wanted.has(file)) continue;
      failed.set(file, content);
      cancelRetry ??= clock.setTimer(retryMs, retry);
    }
  }

  function retry(): void {
    cancelRetry = null;
    for (const [file, content] of [...failed]) want(file, content);
    writeSoon();
  }

  async function write(file: string, content: Content): Promise<boolean> {
    try {
      const text = content === null ? null : `${JSON.stringify({ version: 1, ...content })}\n`;
      if (written.get(file) !== text) await replace(file, text);
      written.set(file, text);
      if (failures.delete(file)) {
        log.info("the disk cache works again", { file });
        options.onFailuresChanged();
      }
      return true;
    } catch (error) {
      hasFolders = false;
      // Nobody knows which text it holds now.
      written.delete(file);
      fail(file, "cache.write", error);
      return false;
    }
  }

  async function replace(file: string, text: string | null): Promise<void> {
    if (text === null) return await files.remove(file);
    if (!hasFolders) {
      await files.ensureFolder(stateDir);
      await files.makeFolder(meshFolder);
      hasFolders = true;
    }
    await files.writeAtomic(file, text);
  }

  async function list(): Promise<string[]> {
    try {
      return await files.list(meshFolder);
    } catch (error) {
      fail(meshFolder, "cache.read", error);
      return [];
    }
  }

  return {
    async load() {
      const machine = await read(machineFile, MachineFile);
      const meshes: MeshFile[] = [];
      for (const name of (await list()).filter((each) => each.endsWith(".json") && !each.startsWith("."))) {
        const mesh = await read(`${meshFolder}/${name}`, MeshFile);
        if (mesh !== null && `${mesh.meshId}.json` === name) meshes.push(mesh);
      }
      return { machine, meshes };
    },
    saveEnrolment(enrolment) {
      want(toEnrolmentFile(stateDir), enrolment);
      writeSoon();
    },
    saveMachine: (machine) => want(machineFile, machine),
    saveMesh: (mesh) => want(toMeshFile(mesh.meshId), mesh),
    removeMesh: (meshId) => want(toMeshFile(meshId), null),
    async clear() {
      wanted.clear();
      cancelDelay?.();
      cancelDelay = null;
      await work;
      failed.clear();
      cancelRetry?.();
      cancelRetry = null;
      written.clear();
      await files.remove(toEnrolmentFile(stateDir));
      await files.remove(machineFile);
      await files.remove(meshFolder);
      hasFolders = false;
    },
    failures: () => [...failures.values()],
    async flush() {
      while (work !== null || wanted.size > 0) {
        writeSoon();
        await work;
      }
    },
  };
}
