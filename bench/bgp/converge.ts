// Waits until every BIRD has what it should have, and costs little meanwhile: few are looked at at a time, and who has it is not looked at
// again before the end, when all are once more.
import { inPortions } from "./in-portions.ts";

export interface Watch {
  readonly members: readonly number[];
  /** Whether this one has it. */
  isThere(member: number): Promise<boolean>;
  /** Throws when waiting is over. @param left that were not yet seen to have it */
  throwIfOver(left: number): Promise<void>;
  /** After a look that found one without it. */
  readonly pauseMs: number;
  now(): number;
  sleep(ms: number): Promise<void>;
}

const AT_ONCE = 5;

/** @returns when the last one was seen to have it, by `now()`. That all have it at once was seen after that. */
export async function untilAll(watch: Watch): Promise<number> {
  let left: readonly number[] = watch.members;
  for (;;) {
    while (left.length > 0) {
      await watch.throwIfOver(left.length);
      const missing = await findMissing(watch, left.slice(0, AT_ONCE));
      left = [...missing, ...left.slice(AT_ONCE)];
      if (missing.length > 0) await watch.sleep(watch.pauseMs);
    }
    const at = watch.now();
    left = await findMissing(watch, watch.members);
    if (left.length === 0) return at;
  }
}

async function findMissing({ isThere }: Watch, members: readonly number[]): Promise<number[]> {
  const all = await inPortions(AT_ONCE, members, async (member) => ({ member, isThere: await isThere(member) }));
  return all.filter((one) => !one.isThere).map(({ member }) => member);
}
