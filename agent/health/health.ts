// Finds out which of its duties this machine announces: each by its check, those without one at once.
//
// What is announced is kept in the run folder. BIRD goes on announcing while the agent is away, so an agent that starts takes that for
// healthy and lets the checks say otherwise; after a boot nothing announces, and the run folder is empty.
import type { AnnouncementId, Duty } from "#schema/desired-state";
import type { HealthCheck } from "#schema/health-check";
import type { MeshId } from "#schema/ids";
import { AnnouncedFile } from "#schema/local/agent-files";
import type { Clock } from "../system/clock.ts";
import type { Exec } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import type { Probes } from "../system/probes/probes.ts";
import type { Random } from "../system/random.ts";
import { createQueue, startChecks } from "./check-runner.ts";
import { beginDuty, type CheckResult, type DutyState, isAnnounced, refuseDuty, takeResult } from "./duty-state.ts";
import { createRunCheck } from "./run-check.ts";

export interface Health {
  /** What was announced when the agent ended. To be awaited before the first setDuties. */
  load(): Promise<void>;
  /** All that this machine has to announce in the mesh. A duty whose check did not change keeps its state. @param self its address there */
  setDuties(meshId: MeshId, duties: readonly Duty[], self: string): void;
  isAnnounced(meshId: MeshId, id: AnnouncementId): boolean;
  list(): readonly DutyHealth[];
  /** Leaves what is announced for the next agent. */
  stop(): void;
  /** Resolves when that is written. */
  whenIdle(): Promise<void>;
}

/** For when BIRD ends, too: the next agent shall check first. To be called when no Health is at work. */
export const forgetAnnounced = (files: Pick<Files, "remove">, runDir: string): Promise<void> =>
  files.remove(toFile(runDir));

const toFile = (runDir: string): string => `${runDir}/announced.json`;

export interface DutyHealth extends DutyState {
  readonly meshId: MeshId;
  readonly id: AnnouncementId;
  readonly check: HealthCheck | null;
}

export interface HealthPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly exec: Exec;
  readonly files: Files;
  readonly probes: Probes;
  readonly log: Logger;
}

export interface HealthOptions {
  readonly runDir: string;
  /** Whether this machine's own configuration lets the control plane name programs that run here. */
  readonly allowsExec: boolean;
  /** Other duties of this mesh are announced than before. */
  readonly onChanged: (meshId: MeshId) => void;
  /** What a check says is new, or other duties of this mesh are checked than before. Not by each check: `list` has all duties, and is read then. */
  readonly onChecked: (meshId: MeshId) => void;
}

interface Entry {
  readonly duty: Duty;
  readonly self: string;
  state: DutyState;
  readonly stop: () => void;
}

const MOST_CHECKS_AT_ONCE = 32;
const EXEC_REFUSED =
  "this machine runs no exec checks: its own configuration has to allow them, by BECKET_ALLOW_EXEC_CHECKS=1 in the agent's environment";

export function createHealth(ports: HealthPorts, { runDir, allowsExec, onChanged, onChecked }: HealthOptions): Health {
  const { clock, files, log } = ports;
  const file = toFile(runDir);
  const runnerPorts = { ...ports, runCheck: createRunCheck(ports), queue: createQueue(MOST_CHECKS_AT_ONCE) };
  const meshes = new Map<MeshId, Map<AnnouncementId, Entry>>();
  /** Announced by the agent before, in meshes that nobody has spoken of yet. */
  let inherited: AnnouncedFile["announced"] = [];
  let saving: Promise<void> = Promise.resolve();
  let isStopped = false;

  const announcedOf = (meshId: MeshId): AnnouncementId[] =>
    [...(meshes.get(meshId) ?? [])].flatMap(([id, { state }]) => (isAnnounced(state) ? [id] : []));

  function begin(meshId: MeshId, duty: Duty, self: string, before: Entry | undefined): Entry {
    const { id, healthCheck: check } = duty;
    const nowMs = clock.now();
    if (check?.type === "exec" && !allowsExec)
      return { duty, self, state: refuseDuty(EXEC_REFUSED, nowMs), stop: () => undefined };
    const wasAnnounced =
      before === undefined
        ? inherited.some((one) => one.meshId === meshId && one.id === id)
        : isAnnounced(before.state);
    const state = beginDuty({ check, wasAnnounced, nowMs });
    if (check === null) return { duty, self, state, stop: () => undefined };
    const entry: Entry = {
      ...{ duty, self, state },
      stop: startChecks(runnerPorts, {
        ...{ check, self },
        waitMs: wasAnnounced ? 0 : check.holdoffSeconds * 1_000,
        onResult: (result) => take(meshId, entry, { check, result }),
      }),
    };
    return entry;
  }

  function take(meshId: MeshId, entry: Entry, { check, result }: { check: HealthCheck; result: CheckResult }): void {
    const before = entry.state;
    entry.state = takeResult(before, result, check);
    if (isNews(before, entry.state)) onChecked(meshId);
    if (entry.state.status === before.status) return;
    const { status, reason } = entry.state;
    log.info("a health check turned", {
      meshId,
      announcement: entry.duty.id,
      status,
      ...(reason === null ? {} : { reason }),
    });
    if (isAnnounced(entry.state) !== isAnnounced(before)) changed(meshId);
  }

  function changed(meshId: MeshId): void {
    save();
    onChanged(meshId);
  }

  function save(): void {
    const announced = [
      ...inherited,
      ...[...meshes.keys()].flatMap((meshId) => announcedOf(meshId).map((id) => ({ meshId, id }))),
    ];
    const text = `${JSON.stringify({ version: 1, announced } satisfies AnnouncedFile)}\n`;
    saving = saving
      .then(() => files.writeAtomic(file, text))
      .catch((error: unknown) => log.warn("what is announced could not be kept", { error }));
  }

  return {
    async load() {
      try {
        const text = await files.read(file);
        if (text !== null) inherited = AnnouncedFile.parse(JSON.parse(text)).announced;
      } catch (error) {
        log.warn("what was announced before is not known: everything is checked first", { error });
      }
    },
    setDuties(meshId, duties, self) {
      if (isStopped) return;
      const before = meshes.get(meshId) ?? new Map<AnnouncementId, Entry>();
      const announcedBefore = announcedOf(meshId).sort().join();
      const next = duties.map((duty): [AnnouncementId, Entry] => {
        const known = before.get(duty.id);
        if (known !== undefined && isSameCheck(known, duty, self)) return [duty.id, known];
        known?.stop();
        return [duty.id, begin(meshId, duty, self, known)];
      });
      meshes.set(meshId, new Map(next));
      for (const [id, entry] of before) if (!duties.some((duty) => duty.id === id)) entry.stop();
      const hasInherited = inherited.some((one) => one.meshId === meshId);
      inherited = inherited.filter((one) => one.meshId !== meshId);
      if (duties.length === 0) meshes.delete(meshId);
      if (announcedOf(meshId).sort().join() !== announcedBefore) changed(meshId);
      else if (hasInherited) save();
      onChecked(meshId);
    },
    isAnnounced(meshId, id) {
      const entry = meshes.get(meshId)?.get(id);
      return entry !== undefined && isAnnounced(entry.state);
    },
    list: () =>
      [...meshes].flatMap(([meshId, entries]) =>
        [...entries].map(([id, { duty, state }]) => ({ ...state, meshId, id, check: duty.healthCheck })),
      ),
    stop() {
      isStopped = true;
      for (const entries of meshes.values()) for (const entry of entries.values()) entry.stop();
    },
    whenIdle: () => saving,
  };
}

/** What a check that passes finds is no news. */
const isNews = (before: DutyState, { status, results: [newest] }: DutyState): boolean =>
  status !== before.status || (status !== "healthy" && newest?.text !== before.results[0]?.text);

const isSameCheck = (known: Entry, { healthCheck }: Duty, self: string): boolean =>
  known.self === self && JSON.stringify(known.duty.healthCheck) === JSON.stringify(healthCheck);
