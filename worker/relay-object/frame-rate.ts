// How many frames a machine may send. A relay is a link like any other: when it is full, frames are dropped, and the connections inside slow
// down. Who does not slow down at all is closed. Pure: time comes in.
import { createRateLimiter } from "../durable/rate-limiter.ts";

/** At 16 KB each that is 500 Mbit/s. */
const FRAMES = { burst: 8_000, perSecond: 4_000 };
/** Beyond those. */
const DROPS = { burst: 16_000, perSecond: 1_000 };

export type FrameVerdict = "pass" | "drop" | "close";

export function createFrameRate(): (machineId: string, nowMs: number) => FrameVerdict {
  const frames = createRateLimiter(FRAMES);
  const drops = createRateLimiter(DROPS);
  return (machineId, nowMs) => {
    if (frames.take(machineId, nowMs)) return "pass";
    return drops.take(machineId, nowMs) ? "drop" : "close";
  };
}
