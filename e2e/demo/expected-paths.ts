// What the demo's machines come to: direct, but where UDP is blocked. Pure.
import type { PairPath } from "./summarise.ts";

/** `blocked`: names of machines from whose network no UDP leads out. */
export function areSettled(
  paths: readonly PairPath[],
  { pairs, blocked }: { pairs: number; blocked: string[] },
): boolean {
  const isBlocked = ({ from, to }: PairPath) => blocked.includes(from) || blocked.includes(to);
  return (
    paths.length === pairs &&
    paths.every((pair) => (isBlocked(pair) ? pair.path === "relayed" : pair.path === "direct"))
  );
}
