import { useEffect, useState } from "react";
import type { PeerTelemetry } from "#schema/path";
import { addSamples, type PeerHistories } from "./peers-model.ts";

/** @param measuredAt another one means another measurement, also when it says the same */
export function usePeerHistories(peers: readonly PeerTelemetry[] | undefined, measuredAt: number): PeerHistories {
  const [histories, setHistories] = useState<PeerHistories>(new Map());
  // biome-ignore lint/correctness/useExhaustiveDependencies: one sample for each measurement.
  useEffect(() => {
    if (peers !== undefined) setHistories((known) => addSamples(known, peers));
  }, [measuredAt]);
  return histories;
}
