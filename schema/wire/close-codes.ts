// WebSocket close codes of our own (4000–4999 are for applications, RFC 6455 section 7.4.2), each modelled on an HTTP status.

export const CLOSE_CODES = {
  /** The message was no valid JSON, too long, or not of this protocol; the reason names the fault. */
  badMessage: 4400,
  /** The machine is not, or no longer, in the mesh, or was removed altogether. Do not reconnect to this object. */
  removed: 4403,
  /** The same machine opened a newer connection. Who still hears this is a copy of it: come back in minutes, the other may be gone. */
  replaced: 4409,
  /** The wire version is too old or too new for this control plane. Come back in minutes: its deployment may be rolled back. */
  wireVersion: 4426,
  /** Too many messages. Reconnect with backoff. */
  rateLimited: 4429,
} as const;
