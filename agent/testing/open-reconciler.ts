// A reconciler on a kernel that is none, with what it said of its state.
import type { MeshId } from "#schema/ids";
import { createReconciler } from "../reconcile/reconciler.ts";
import type { ReconcilerState } from "../reconcile/reconciler-state.ts";
import { silentLogger } from "../system/logger.ts";
import { createKeyFiles } from "./desired-devices.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createFakeKernel } from "./fake-kernel.ts";

export function openReconciler() {
  const files = createKeyFiles();
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files });
  const states: ReconcilerState[] = [];
  const reconciler = createReconciler({
    exec: kernel,
    files,
    clock,
    log: silentLogger,
    random: () => 1,
    onState: (state) => states.push(state),
  });
  const failuresOf = (meshId: MeshId) => reconciler.state().meshes.get(meshId)?.failures ?? [];
  return { files, clock, kernel, reconciler, states, failuresOf };
}
