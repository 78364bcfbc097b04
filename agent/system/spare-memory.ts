// The agent is idle nearly always, one of many programs on its machine: V8 is told to spare memory, until packets pass through this process.
// Imported before everything else: what loads the program already fills the heap. These flags take effect while V8 runs (Node 20 to 24);
// NODE_OPTIONS would do the same earlier, but nobody would know to set it.
import { setFlagsFromString } from "node:v8";

/** With 250 peers: 17 MB of room for young objects, and 7 MB that the optimizing compilers alone touch (Node 24). */
const SPARING = [
  "--semi-space-growth-factor=1",
  "--optimize-for-size",
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
] as const;
const FAST = ["--semi-space-growth-factor=2", "--no-optimize-for-size", "--opt", "--sparkplug"] as const;
/** Maglev is for use from V8 12.4 on. */
const MAGLEV_SINCE_NODE = 22;

for (const flag of SPARING) setFlagsFromString(flag);

let isFast = false;

/** A relay opens: from here on thousands of packets a second may pass, and machine code is worth its memory. */
export function expectTraffic(): void {
  if (isFast) return;
  isFast = true;
  for (const flag of FAST) setFlagsFromString(flag);
  if (Number.parseInt(process.versions.node, 10) >= MAGLEV_SINCE_NODE) setFlagsFromString("--maglev");
}
