// How long WireGuard keeps to what a handshake agreed on.

/** A session ends this long after its handshake (REJECT_AFTER_TIME, wireguard.com/papers/wireguard.pdf, section 6.1). */
export const SESSION_MS = 180_000;
