// Tells each mesh what this machine could do of it, some time after it changed and once.
import type { StepFailure } from "#schema/machine";
import type { Clock } from "../system/clock.ts";
import type { JoinedMesh } from "./joined-mesh.ts";

export interface MeshReports {
  schedule(): void;
  stop(): void;
}

export interface MeshReportsOptions {
  readonly clock: Clock;
  readonly debounceMs: number;
  readonly entries: () => Iterable<JoinedMesh>;
  readonly failuresOf: (mesh: JoinedMesh) => readonly StepFailure[];
}

const MAX_FAILURES = 16;

export function createMeshReports({ clock, debounceMs, entries, failuresOf }: MeshReportsOptions): MeshReports {
  let cancel: (() => void) | null = null;
  let isStopped = false;

  function report(): void {
    cancel = null;
    for (const entry of entries()) {
      if (entry.applied === null) continue;
      const report = { position: entry.applied, failures: failuresOf(entry).slice(0, MAX_FAILURES) };
      const text = JSON.stringify(report);
      if (text === entry.told) continue;
      entry.told = text;
      entry.link.report(report);
    }
  }

  return {
    schedule() {
      if (!isStopped) cancel ??= clock.setTimer(debounceMs, report);
    },
    stop() {
      isStopped = true;
      cancel?.();
    },
  };
}
