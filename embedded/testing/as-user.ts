/** A user without any power of root's. */
export const NOBODY = 65_534;

/** Runs `work` with a user's rights over files, in a process of root's. */
export function asUser<T>(id: number, work: () => T): T {
  process.setegid?.(id);
  process.seteuid?.(id);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
