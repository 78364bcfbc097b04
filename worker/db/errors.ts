/**
 * The `table.column` of a failed UNIQUE constraint, or null when the error is another. D1 tells it in the message only:
 * "D1_ERROR: UNIQUE constraint failed: meshes.name: SQLITE_CONSTRAINT"; drizzle wraps that as the cause.
 */
export function parseUniqueViolation(error: unknown): string | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    const match = /UNIQUE constraint failed: ([a-z_]+\.[a-z0-9_]+)/.exec(current.message);
    if (match?.[1] !== undefined) return match[1];
  }
  return null;
}

/** True when a reference would point at nothing: SQLite does not say which. */
export function isReferenceViolation(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (/FOREIGN KEY constraint failed/.test(current.message)) return true;
  }
  return false;
}

/** True when D1 itself failed (unreachable, overloaded, reset), as opposed to a fault of ours. */
export function isDatabaseFailure(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (
      /\bD1_ERROR\b/.test(current.message) &&
      parseUniqueViolation(current) === null &&
      !isReferenceViolation(current)
    ) {
      return true;
    }
  }
  return false;
}
