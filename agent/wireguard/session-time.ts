// How long WireGuard keeps to what a handshake agreed on.
import type { WireGuardPeer } from "./parse-dump.ts";

/** A session ends this long after its handshake (REJECT_AFTER_TIME, wireguard.com/papers/wireguard.pdf, section 6.1). */
export const SESSION_MS = 180_000;

export const hasSession = ({ latestHandshakeMs }: Pick<WireGuardPeer, "latestHandshakeMs">, nowMs: number): boolean =>
  latestHandshakeMs !== null && nowMs - latestHandshakeMs < SESSION_MS;
