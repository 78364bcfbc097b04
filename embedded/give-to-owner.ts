import { lchownSync, statSync } from "node:fs";

/**
 * A control plane with a user of its own owns its folder; what root makes there has to be that user's, too, or the next start may not touch it. Links
 * are given, never what they lead to.
 */
export function giveToOwnerOf(folder: string, ...made: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  for (const path of made) lchownSync(path, uid, gid);
}
