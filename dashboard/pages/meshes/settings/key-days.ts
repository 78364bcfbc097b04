// How old a mesh's keys get, as somebody types it.
import { MAX_KEY_ROTATION_DAYS } from "#schema/mesh";

/** Nothing typed is never; undefined: it makes no sense. */
export function parseKeyDays(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const days = /^\d{1,4}$/.test(trimmed) ? Number(trimmed) : 0;
  return days >= 1 && days <= MAX_KEY_ROTATION_DAYS ? days : undefined;
}

export const renderKeyDays = (days: number | null): string => (days === null ? "" : String(days));
