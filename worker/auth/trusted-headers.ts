// Headers that the Worker sets for an object after it authenticated a machine, or a person who watches. The Worker builds the request to the object anew, so
// nothing that a client sent under these names gets through.

export const TRUSTED_HEADERS = {
  machineId: "x-becket-machine-id",
  /** The machine token's jti, iat and exp: the object refuses replays (see replay-guard). */
  tokenId: "x-becket-token-id",
  tokenIssuedAt: "x-becket-token-issued-at",
  tokenExpiresAt: "x-becket-token-expires-at",
  requestId: "x-becket-request-id",
  /** Who watches a mesh, in place of a machine: the actor's kind and id. */
  watcher: "x-becket-watcher",
  /** The id of the session that they came with; none with a token. */
  watcherSession: "x-becket-watcher-session",
  /** When D1 was not asked yet whether they may, milliseconds since the epoch. */
  watcherCheckedAt: "x-becket-watcher-checked-at",
} as const;
