import { UserId } from "#schema/ids";

export interface SessionSearch {
  /** Whose; one's own when left out. */
  readonly userId?: UserId;
}

export function parseSessionSearch({ userId }: Record<string, unknown>): SessionSearch {
  const parsed = UserId.safeParse(userId);
  return parsed.success ? { userId: parsed.data } : {};
}
