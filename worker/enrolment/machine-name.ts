import { MAX_NAME_LENGTH } from "#schema/limits";

/** Leaves room for a suffix like -4711 within MAX_NAME_LENGTH. */
const MAX_BASE_LENGTH = MAX_NAME_LENGTH - 6;

/** A machine name from a host name: its first label, lower-case, other characters as hyphens; "machine" when nothing is left. */
export function toBaseName(hostname: string): string {
  const label = hostname.split(".")[0] ?? "";
  const name = label
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_BASE_LENGTH)
    .replace(/^-+|-+$/g, "");
  return name === "" ? "machine" : name;
}

/** The names that are tried in order: the base name itself, then with -2 to -9. Few, so that asking for them costs the same in any crowd. */
export const toWantedNames = (base: string): string[] => [base, ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${base}-${n}`)];

/** The base name with a five-digit suffix: for a crowd in which counting collides. */
export function toRandomName(base: string, [high = 0, low = 0]: Uint8Array): string {
  return `${base}-${10_000 + high * 256 + low}`;
}
