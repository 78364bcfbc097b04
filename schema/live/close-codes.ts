// How a watcher's socket ends: WebSocket close codes of our own, each modelled on an HTTP status, as schema/wire has them.
import { CLOSE_CODES } from "../wire/close-codes.ts";

export const LIVE_CLOSE_CODES = {
  badMessage: CLOSE_CODES.badMessage,
  rateLimited: CLOSE_CODES.rateLimited,
  /** Who watches was authenticated too long ago: connect again, at once. */
  renew: 4401,
  /** There is no such mesh any more. Do not connect again. */
  gone: 4410,
} as const;
