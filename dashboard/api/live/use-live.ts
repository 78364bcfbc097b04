// Live updates as pages use them.
import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import type { About, Live, LiveState } from "./create-live.ts";

const LiveContext = createContext<Live | null>(null);
export const LiveProvider = LiveContext.Provider;

function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("there is no LiveProvider above");
  return live;
}

/** The page is about these meshes: what changes in them is shown within a second. */
export function useLiveMeshes(
  meshIds: readonly string[],
  { isAll = false, machineId }: Omit<About, "meshIds"> = {},
): void {
  const live = useLive();
  const key = meshIds.toSorted().join();
  useEffect(
    () =>
      live.use({ meshIds: key === "" ? [] : key.split(","), isAll, ...(machineId === undefined ? {} : { machineId }) }),
    [live, key, isAll, machineId],
  );
}

/** The page shows what this machine measures; null: none. */
export function useLiveTelemetry(machineId: string | null, explain: readonly string[] = []): void {
  const live = useLive();
  const key = explain.join();
  useEffect(
    () => (machineId === null ? undefined : live.watch(machineId, key === "" ? [] : key.split(","))),
    [live, machineId, key],
  );
}

export const useLiveState = (): LiveState => {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, live.state);
};

/** How often to ask; drawn again when that changes. Undefined where it is not asked again at all. */
export function useEvery(queryKey: readonly unknown[], everyMs: number | undefined): number | undefined {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, () =>
    everyMs === undefined ? undefined : live.planEvery(queryKey, everyMs),
  );
}

/** For several questions at once. */
export function usePlanEvery(): Live["planEvery"] {
  const live = useLive();
  useSyncExternalStore(live.subscribe, live.turns);
  return live.planEvery;
}
