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

/** The base name itself, or with the lowest suffix from -2 up that is free. */
export function toFreeName(base: string, taken: ReadonlySet<string>): string {
  if (!taken.has(base)) return base;
  for (let suffix = 2; ; suffix++) {
    const name = `${base}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** The base name with a five-digit suffix: for a crowd in which counting collides. */
export function toRandomName(base: string, [high = 0, low = 0]: Uint8Array): string {
  return `${base}-${10_000 + high * 256 + low}`;
}
