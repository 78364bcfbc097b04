// What the lock file must be like, so that an install can only bring what was looked at. Pure.
import { z } from "zod";

const REGISTRY = "https://registry.npmjs.org/";

const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      inBundle: z.boolean().optional(),
    }),
  ),
});

/** One line for each package that npm would not check against a strong hash, or would fetch from elsewhere. */
export function findLockProblems(json: unknown): string[] {
  const { packages } = LockFile.parse(json);
  return Object.entries(packages).flatMap(([name, { resolved, integrity, link, inBundle }]) => {
    // The root package is the repository itself; a bundled one is in the archive, and so under the hash, of another.
    if (name === "" || inBundle === true) return [];
    if (link === true) return [`package-lock.json: ${name} is a link to somewhere on this disk`];
    const isHashed = integrity !== undefined && /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity);
    const isForeign = resolved !== undefined && !resolved.startsWith(REGISTRY);
    return [
      ...(isHashed ? [] : [`package-lock.json: ${name} has no SHA-512 hash`]),
      ...(isForeign ? [`package-lock.json: ${name} comes from ${resolved}, not from ${REGISTRY}`] : []),
    ];
  });
}
